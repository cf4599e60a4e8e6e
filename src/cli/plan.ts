import { InvalidArgumentError, Option, type Command } from 'commander';
import { RequestError } from '../client.js';
import { findingText } from '../core/finding.js';
import { parseRolloutInput, parseTarget, type Target } from '../core/input/input.js';
import { STORE_KINDS, type Path, type StoreKind } from '../core/plan.js';
import { isMinor, isServerVersion } from '../core/version.js';
import { readInputFile } from '../input-file.js';
import { explainReplacements, planFromClusters, planOffline, planTarget } from '../planning.js';
import { wrap } from '../report/columns.js';
import { gateLines } from '../report/gate-plan.js';
import { findingJson, planJson, planTable, type PlanTableOptions } from '../report/plan.js';
import { replacementsJson, replacementsText } from '../report/replacements.js';
import { withOutput, type CommonOptions } from './options.js';
import { print, runCommandLine } from './output.js';

interface PlanOptions extends Pick<CommonOptions, 'output'> {
  readonly file?: string;
  readonly target?: string;
  readonly from?: string;
  readonly to?: string;
  readonly store: StoreKind;
  readonly visibility?: StoreKind;
  readonly secondaryVisibility?: StoreKind;
  readonly moveVisibilityTo?: StoreKind;
  readonly pin: Readonly<Record<string, string>>;
  readonly explain: boolean;
}

/** `plan`: the hops of a cluster that is described, that runs, or of the two that a roll-out names. Changes nothing. */
export function addPlanCommand(program: Command): void {
  const kind = (flags: string, description: string) => new Option(flags, description).choices(STORE_KINDS);
  const command = program
    .command('plan')
    .description('show the hops, their schema steps and what to know of them; changes nothing')
    .option('-f, --file <path>', 'a roll-out: both clusters are looked at')
    .option('--target <path>', 'one cluster, as under "live" of a roll-out: it is looked at')
    .option('--from <version>', 'version in full that a cluster runs, such as 1.27.3')
    .option('--to <version>', 'minor or version to reach, such as 1.31; one minor lower is a roll-back')
    .addOption(kind('--store <kind>', 'default store').default('postgres12'))
    .addOption(kind('--visibility <kind>', 'visibility store; that of --store when left out'))
    .addOption(kind('--secondary-visibility <kind>', 'second visibility store, where there is one'))
    .addOption(kind('--move-visibility-to <kind>', 'where visibility goes when its kind ends on the way'))
    .addOption(
      new Option('--pin <minor=version>', 'patch to use for a minor; may be given again').default({}).argParser(addPin),
    )
    .option(
      '--explain',
      'the rule and the source of each line, all notes, and each command that replaces a server',
      false,
    );
  withOutput(command).action((options: PlanOptions) => runCommandLine(options.output, () => plan(options)));
}

async function plan(options: PlanOptions): Promise<void> {
  const { file, target, from, to, pin, output, explain } = options;
  if ([file, target, from].filter((way) => way !== undefined).length !== 1) {
    throw new RequestError(
      'give one of these: --from for a cluster that is only described, --target for one that runs, --file for a roll-out',
    );
  }
  if (file !== undefined) return planOfFile(file, options);
  if (to === undefined) throw new RequestError('give --to, the version to reach, such as 1.31');
  if (!isServerVersion(to) && !isMinor(to)) throw new RequestError(`--to is "${to}", expected 1.31 or 1.31.2`);
  if (target === undefined) {
    const described = { from: versionOf(from), to, pins: pin, stores: storesOf(options), moveTo: moveOf(options) };
    const path = await planOffline(described);
    print(output, planJson(path), planTable(path, { explain }));
    return;
  }
  const cluster = parseTarget(await readInputFile(target));
  const { json, text } = await told(cluster, await planTarget(cluster, { to, pins: pin }), { explain });
  print(output, json, text);
}

/** The plan of a cluster that was looked at; explained, with what its driver will run. */
async function told(target: Target, path: Path, options: PlanTableOptions) {
  const { explain } = options;
  const table = planTable(path, options);
  if (!explain) return { json: planJson(path), text: table };
  const replacements = await explainReplacements(target, path);
  return {
    json: { ...planJson(path), replacements: replacementsJson(replacements) },
    text: path.hops.length === 0 ? table : `${table}\n\n${replacementsText(replacements)}`,
  };
}

function versionOf(from: string | undefined): string {
  if (from !== undefined && isServerVersion(from)) return from;
  throw new RequestError(`--from is "${from ?? ''}", expected a version in full such as 1.27.3`);
}

function storesOf({ store, visibility = store, secondaryVisibility }: PlanOptions) {
  return { default: store, visibility, secondaryVisibility };
}

function moveOf({ moveVisibilityTo }: PlanOptions) {
  if (moveVisibilityTo === undefined) return {};
  return { visibility: moveVisibilityTo, secondaryVisibility: moveVisibilityTo };
}

async function planOfFile(file: string, { output, explain }: PlanOptions): Promise<void> {
  const input = parseRolloutInput(await readInputFile(file));
  const { staging, live, findings } = await planFromClusters(input);
  const shown = { explain, settleMs: input.policy.settle.atLeast };
  const [ofStaging, ofLive] = [await told(input.staging, staging, shown), await told(input.live, live, shown)];
  const text = [
    `staging ${input.staging.name}`,
    ofStaging.text,
    '',
    `live ${input.live.name}`,
    ofLive.text,
    ...findings.map((finding) => `${finding.severity}: ${findingText(finding)}`),
    '',
    ...gateLines(input.policy).flatMap((line) => wrap(line, '', '  ')),
  ].join('\n');
  const { gates, approval } = input.policy;
  const all = findings.map(findingJson);
  print(output, { staging: ofStaging.json, live: ofLive.json, findings: all, gates, approval }, text);
}

function addPin(text: string, pins: Readonly<Record<string, string>>): Record<string, string> {
  const [minor, version, ...rest] = text.split('=');
  if (minor === undefined || version === undefined || rest.length > 0) {
    throw new InvalidArgumentError(`"${text}" is not MINOR=VERSION such as 1.30=1.30.7`);
  }
  return { ...pins, [minor]: version };
}
