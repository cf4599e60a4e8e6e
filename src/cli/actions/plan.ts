import { RequestError } from '../../core/request-error.js';
import { findingText } from '../../core/finding.js';
import { parseRolloutInput, parseTarget, type Target } from '../../core/input/input.js';
import type { Path, StoreKind } from '../../core/plan.js';
import { isMinor, isServerVersion } from '../../core/version.js';
import { readInputFile } from '../../input-file.js';
import { planOffline } from '../../planning-offline.js';
import { wrap } from '../../report/columns.js';
import { gateLines } from '../../report/gate-plan.js';
import { findingJson, planJson, planTable, type PlanTableOptions } from '../../report/plan.js';
import { replacementsJson, replacementsText } from '../../report/replacements.js';
import type { CommonOptions } from '../options.js';
import { print } from '../output.js';

export interface PlanOptions extends Pick<CommonOptions, 'output'> {
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

/** Prints the plan of one cluster, or of the two of a roll-out. @throws RequestError, UnsupportedPathError, PreconditionError */
export async function plan(options: PlanOptions): Promise<void> {
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
  const { planTarget } = await online();
  const cluster = parseTarget(await readInputFile(target));
  const { json, text } = await told(cluster, await planTarget(cluster, { to, pins: pin }), { explain });
  print(output, json, text);
}

/** Loaded when a cluster is looked at: it is heavy, and one that is only described is planned without it. */
const online = () => import('../../planning.js');

/** The plan of a cluster that was looked at; explained, with what its driver will run. */
async function told(target: Target, path: Path, options: PlanTableOptions) {
  const { explain } = options;
  const table = planTable(path, options);
  if (!explain) return { json: planJson(path), text: table };
  const { explainReplacements } = await online();
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
  const { planFromClusters } = await online();
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
