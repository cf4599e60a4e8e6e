import { basename } from 'node:path';
import { createInterface } from 'node:readline/promises';
import {
  findHop,
  findOldBackups,
  listBackups,
  refreshHop,
  removeBackups,
  restoreHop,
  verifyBackups,
  type HopToRestore,
  type KeptBackup,
  type VerifiedBackup,
} from '../../backups.js';
import { sizeText } from '../../core/checks/about-store.js';
import { PreconditionError } from '../../core/errors.js';
import { parseTarget, type Target } from '../../core/input/input.js';
import { readInputFile } from '../../input-file.js';
import { columns, wrap } from '../../report/columns.js';
import { ExitCode } from '../exit-codes.js';
import type { CommonOptions } from '../options.js';
import { print } from '../output.js';
import { isAnswered, saysYes } from './ask.js';

export interface BackupsOptions extends Pick<CommonOptions, 'output'> {
  readonly target: string;
}
export interface HopOptions extends BackupsOptions {
  readonly hop: string;
  readonly yes?: boolean;
}
export interface PruneOptions extends BackupsOptions {
  readonly hops?: number;
  readonly days?: number;
  readonly yes?: boolean;
}

async function targetOf({ target }: BackupsOptions): Promise<Target> {
  return parseTarget(await readInputFile(target));
}

export async function listed(options: BackupsOptions): Promise<void> {
  const target = await targetOf(options);
  const backups = await listBackups(target);
  print(options.output, backups.map(asJson), listText(target, backups));
}

export async function verified(files: readonly string[], options: BackupsOptions): Promise<void> {
  const target = await targetOf(options);
  const backups = await verifyBackups(target, files.length === 0 ? undefined : files, tell);
  const text = [listText(target, backups), verdictText(backups)].join('\n');
  print(options.output, backups.map(asJson), text);
  if (backups.some(({ whole }) => !whole)) process.exitCode = ExitCode.blocked;
}

export async function restored(options: HopOptions): Promise<void> {
  const target = await targetOf(options);
  const hop = await findHop(target, options.hop);
  await confirm(options, whatIsLost(target, hop), 'Restore');
  const result = await restoreHop(target, hop, { onProgress: tell });
  const next = [
    `start all servers of ${target.name} with ${hop.version}`,
    `temporal-upgrade backups refresh --target ${options.target} --hop ${hop.hop}`,
  ];
  const text = [
    `${target.name} is as it was at ${result.backupAt}`,
    ...Object.entries(result.kept).map(([store, place]) => `  what ${store} held before is kept: ${place}`),
    `  visibility: ${result.removed} rows removed, ${result.corrected} set to what the default store says`,
    'next:',
    ...next.map((line) => `  ${line}`),
  ].join('\n');
  print(options.output, { ...result, hop: hop.hop, version: hop.version, next }, text);
}

function whatIsLost({ name }: Target, { backups, version }: HopToRestore): string[] {
  const { takenAt } = backups.default.manifest;
  return [
    `both databases of ${name} go back to ${takenAt}, for servers of ${version}:`,
    ...Object.entries(backups).map(([store, { file }]) => `  ${store}: ${file}`),
    'all that happened since is undone; what is there now is kept beside it, or backed up first',
  ];
}

export async function refreshed(options: HopOptions): Promise<void> {
  const target = await targetOf(options);
  const counts = await refreshHop(target, options.hop, { onProgress: tell });
  print(
    options.output,
    counts,
    `${counts.refreshed} workflows written to visibility anew, ${counts.gone} have gone meanwhile`,
  );
}

export async function pruned(options: PruneOptions): Promise<void> {
  const target = await targetOf(options);
  const keep = target.backups?.keep;
  const [hops, days] = [options.hops ?? keep?.hops, options.days ?? keep?.days];
  if (hops === undefined || days === undefined || hops < 1) {
    throw new PreconditionError(
      'nothing says which backups to keep: give --hops (1 or more) and --days, or "backups.keep" of the cluster',
    );
  }
  const folders = await findOldBackups(target, { hops, days });
  if (folders.length > 0) {
    await confirm(
      options,
      ['these backups are removed for good:', ...folders.map((folder) => `  ${folder}`)],
      'Remove',
    );
    await removeBackups(target, folders);
  }
  const text =
    folders.length === 0 ? 'nothing to remove' : ['removed:', ...folders.map((one) => `  ${one}`)].join('\n');
  print(options.output, { removed: folders }, text);
}

/** @throws PreconditionError unless a person at a terminal says yes, or `--yes` does */
async function confirm(
  { output, yes }: Pick<HopOptions, 'output' | 'yes'>,
  lines: readonly string[],
  what: string,
): Promise<void> {
  if (yes === true) return;
  if (!isAnswered(output))
    throw new PreconditionError([...lines, 'nothing was done; --yes says that it is to be'].join('\n'));
  process.stdout.write(`${lines.join('\n')}\n`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    if (!(await saysYes(terminal, what))) throw new PreconditionError('nothing was done');
  } finally {
    terminal.close();
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

function asJson({ manifest, ...backup }: KeptBackup | VerifiedBackup) {
  return { ...backup, ...manifest };
}

function listText({ name, backupDir }: Target, backups: readonly KeptBackup[]): string {
  if (backups.length === 0) return `no backups of ${name} below ${backupDir}`;
  const byHop = Map.groupBy(backups, ({ rollout, hop }) => `${rollout}/${hop}`);
  return [...byHop].flatMap(([hop, of]) => [`${hop}:`, ...hopLines(of)]).join('\n');
}

function hopLines(backups: readonly KeptBackup[]): string[] {
  const rows = backups.map(
    ({ file, store, storedAt, encrypted, manifest: { takenAt, schemaVersion, bytes, bytesBeside = 0, database } }) => [
      `  ${takenAt.slice(0, 16)}Z`,
      store ?? `"${database}"`,
      store === 'configuration' ? '' : `schema ${schemaVersion}`,
      sizeText(bytes + bytesBeside),
      [basename(file), ...(encrypted ? ['encrypted'] : []), ...(storedAt === undefined ? [] : [storedAt])].join(', '),
    ],
  );
  const problems = backups.flatMap(({ file, problem }) =>
    problem === undefined ? [] : wrap(`! ${basename(file)}: ${problem}`, '  ', '    '),
  );
  return [...columns(rows), ...problems];
}

function verdictText(backups: readonly VerifiedBackup[]): string {
  const damaged = backups.filter(({ whole }) => !whole).length;
  if (damaged === 0) return `${backups.length} read whole`;
  return `${damaged} of ${backups.length} cannot be restored`;
}
