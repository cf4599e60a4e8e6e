import { basename } from 'node:path';
import type { Command } from 'commander';
import { listBackups, verifyBackups, type KeptBackup, type VerifiedBackup } from '../backups.js';
import { sizeText } from '../core/checks/about-store.js';
import { parseTarget, type Target } from '../core/input/input.js';
import { readInputFile } from '../input-file.js';
import { columns, wrap } from '../report/columns.js';
import { ExitCode } from './exit-codes.js';
import { withOutput, type CommonOptions } from './options.js';
import { print, runCommandLine } from './output.js';

interface BackupsOptions extends Pick<CommonOptions, 'output'> {
  readonly target: string;
}

/** `backups list` and `backups verify`: what roll-outs of a cluster left in its folder of backups. Neither changes anything. */
export function addBackupsCommand(program: Command): void {
  const backups = program
    .command('backups')
    .description('the backups that roll-outs of a cluster made; changes nothing');
  const list = backups.command('list').description('name them, the oldest first');
  onTarget(list).action((options: BackupsOptions) => runCommandLine(options.output, () => listed(options)));
  const verify = backups
    .command('verify')
    .description('read all of each again, as before a restore')
    .argument('[files...]', 'some of them; all when left out');
  onTarget(verify).action((files: readonly string[], options: BackupsOptions) =>
    runCommandLine(options.output, () => verified(files, options)),
  );
}

function onTarget(command: Command): Command {
  return withOutput(command.requiredOption('--target <path>', 'the cluster, as under "live" of a roll-out'));
}

async function targetOf({ target }: BackupsOptions): Promise<Target> {
  return parseTarget(await readInputFile(target));
}

async function listed(options: BackupsOptions): Promise<void> {
  const target = await targetOf(options);
  const backups = await listBackups(target);
  print(options.output, backups.map(asJson), listText(target, backups));
}

async function verified(files: readonly string[], options: BackupsOptions): Promise<void> {
  const target = await targetOf(options);
  const backups = await verifyBackups(target, files.length === 0 ? undefined : files, (line) =>
    process.stderr.write(`${line}\n`),
  );
  const text = [listText(target, backups), verdictText(backups)].join('\n');
  print(options.output, backups.map(asJson), text);
  if (backups.some(({ whole }) => !whole)) process.exitCode = ExitCode.blocked;
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
  const rows = backups.map(({ file, store, manifest: { takenAt, schemaVersion, bytes, database } }) => [
    `  ${takenAt.slice(0, 16)}Z`,
    store ?? `"${database}"`,
    `schema ${schemaVersion}`,
    sizeText(bytes),
    basename(file),
  ]);
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
