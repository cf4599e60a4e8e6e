import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { BackupResult } from '../contract/activities.js';
import { backupKeeping } from '../core/backup-keeping.js';
import { formatDuration } from '../core/duration.js';
import { type Finding, findingText } from '../core/finding.js';
import { ledgerLine, ledgerProblems } from '../core/ledger.js';
import type { Observation } from '../core/measuring/observation.js';
import type { StuckRun } from '../core/running-work/running-counts.js';
import { listedNodes } from '../core/input/listed-nodes.js';
import { singleRoles } from '../core/planning/roll-order.js';
import { paceText } from '../core/planning/roll-pace.js';
import type { Hop } from '../core/plan.js';
import { ofPart, partsIn } from '../core/stores.js';
import { overrideLines, type HopResult } from '../core/status.js';
import type { Conductor, Done } from './conductor.js';
import { now } from './moments.js';
import type { EvidenceWatch } from './evidence-watch.js';
import type { HopContext } from './hop-context.js';
import { AbortRequested, NotGoodEnough, RestoreApproved, RollBackRequested } from './interruptions.js';
import { observePhase, watchOver, type Window } from './observe-phase.js';
import { replaceServers } from './replace-servers.js';
import { restoreRequestOf, restoreTarget } from './restore-target.js';
import { rollBackServers } from './roll-back-servers.js';
import { leaveNoRollSettings, type RollState } from './roll-settings.js';
import { settlePhase } from './settle-phase.js';

/** How far a hop has come, as far as its result tells of it. */
interface Progress extends RollState {
  /** What it was like before anything changed, as far as it was measured. */
  baseline: Observation | undefined;
  backups: readonly BackupResult[];
  /** By store, as far as they have been upgraded. */
  schema: Record<string, { readonly before: string; readonly after: string }>;
}

/** Takes one target from one server version to the next: schema first, then servers, then the proof that it settled. */
export async function runHop(context: HopContext): Promise<HopResult> {
  const progress = untouched(context.hop.from);
  return withResult(context, progress, () => forwardOrBack(context, progress));
}

/**
 * Puts the servers of a hop that had been completed back to the version before; a person asked for it while the target was
 * watched. The schema stays.
 */
export async function takeBackHop(context: HopContext): Promise<HopResult> {
  const progress = untouched(context.hop.to);
  return withResult(context, progress, async () => {
    await rollBackServers(context, progress);
    return 'rolled-back';
  });
}

function untouched(servers: string): Progress {
  return { baseline: undefined, backups: [], schema: {}, servers, settings: 'as before', unproved: new Set() };
}

async function withResult(
  context: HopContext,
  progress: Progress,
  work: () => Promise<HopResult['outcome']>,
): Promise<HopResult> {
  const { conductor, environment, hop } = context;
  conductor.enter({ environment, from: hop.from, to: hop.to });
  let outcome: HopResult['outcome'];
  try {
    outcome = await work();
  } catch (error) {
    await leaveNoRollSettings(context, progress);
    // What was done until then stays in the result, also when a person ends the roll-out in the middle of a hop.
    if (error instanceof AbortRequested) conductor.hops.push(resultOf(context, 'aborted', progress));
    throw error;
  } finally {
    conductor.desk.reversibleHop = undefined;
    conductor.estimateRestore = undefined;
  }
  return resultOf(context, outcome, progress);
}

async function forwardOrBack(
  context: HopContext,
  progress: Progress,
): Promise<'completed' | 'rolled-back' | 'restored'> {
  const { desk } = context.conductor;
  try {
    await hopPhases(context, progress);
    // Asked for during the last phase.
    if (desk.rollBack !== undefined) throw new RollBackRequested(desk.rollBack);
    return 'completed';
  } catch (error) {
    return goBack(context, progress, error);
  }
}

/** Carries out what ended the way forward. @throws what was no decision to go back */
async function goBack(context: HopContext, progress: Progress, decided: unknown): Promise<'rolled-back' | 'restored'> {
  if (decided instanceof RestoreApproved) {
    const request = restoreRequestOf(context, progress.backups);
    if (request === undefined) throw new TypeError('a restore was approved without backups');
    await restoreTarget(context, request, progress);
    return 'restored';
  }
  if (!(decided instanceof RollBackRequested)) throw decided;
  try {
    await rollBackServers(context, progress, progress.baseline);
    return 'rolled-back';
  } catch (error) {
    // Of a way back that does not succeed the backups are what is left.
    if (error instanceof RestoreApproved) return goBack(context, progress, error);
    throw error;
  }
}

/** What going back to the backups of this hop would lose; undefined when there are none. */
function restoreEstimate(context: HopContext, { backups }: Progress): Conductor['estimateRestore'] {
  const request = restoreRequestOf(context, backups);
  if (request === undefined) return undefined;
  return async () => {
    const { target, load } = context;
    const { lines } = await target.act.estimateRestore.executeWithOptions({ summary: 'what a restore would lose' }, [
      { ...request, load },
    ]);
    return lines;
  };
}

function resultOf(
  { conductor, environment, hop, place }: HopContext,
  outcome: HopResult['outcome'],
  { backups, schema, servers }: Progress,
): HopResult {
  return {
    environment,
    target: place.target.name,
    from: hop.from,
    to: hop.to,
    outcome,
    servers,
    startedAt: conductor.enteredAt,
    endedAt: now(),
    phases: conductor.phases,
    waitedSeconds: conductor.waitedSeconds,
    incidents: conductor.incidents,
    historyEvents: workflowInfo().historyLength,
    backups: backups.map(({ store, file, bytes, sha256 }) => ({
      store,
      file,
      bytes,
      sha256,
      kept: backupKeeping(place.target, store),
    })),
    // A restore has put it back.
    ...(outcome === 'restored' || Object.keys(schema).length === 0 ? {} : { schema }),
  };
}

async function hopPhases(context: HopContext, progress: Progress): Promise<void> {
  const { conductor, environment, hop, policy } = context;
  const gates: readonly string[] = policy.gates[environment];
  /** What this hop, and the one before it, did not prove or was only let pass. */
  const unproved = () => [...notProvedBefore(context), ...overrideLines(conductor.phases)];

  conductor.next = 'observe before anything changes';
  const toLookAt = await conductor.phase('preflight', () => preflight(context));

  conductor.next = 'back up each store and the configuration';
  const [from, to] = [{ versions: [hop.from] }, { versions: [hop.to] }];
  const before = { kind: 'baseline', what: 'baseline', expected: from } as const;
  const baseline = await observeBaseline(context, before);
  progress.baseline = baseline.measured;

  conductor.next = gates.includes('schema') ? `gate ${environment}/${hop.to}/schema` : 'upgrade the schemas';
  await conductor.overridablePhase('backup', () => backUp(context, progress));
  conductor.estimateRestore = restoreEstimate(context, progress);

  const schemaStep = {
    environment,
    version: hop.to,
    phase: 'schema',
    watch: watchOf(context, 'baseline', { ...before, baseline: baseline.measured }, baseline.passed),
  } as const;
  if (gates.includes('schema')) {
    conductor.next = 'upgrade the schemas';
    const doubts = [...unproved(), ...findingLines([...context.hop.findings, ...toLookAt])];
    await conductor.gates.approval({
      ...schemaStep,
      evidence: [
        ...schemaLines(context),
        ...progress.backups.map(({ store, file, bytes }) => `backup of ${store}: ${file} (${bytes} bytes, read back)`),
        ...doubts,
      ],
      doubts,
    });
  }
  await conductor.gates.window(schemaStep);
  conductor.next = 'observe the old servers on the new schema';
  await conductor.phase('schema', () => upgradeSchemas(context, progress));

  conductor.next = gates.includes('servers') ? `gate ${environment}/${hop.to}/servers` : 'replace the servers';
  const onSchema = {
    kind: 'schema',
    what: 'old servers, new schema',
    baseline: baseline.measured,
    expected: from,
  } as const;
  const seen = await conductor.overridablePhase('observe-schema', () => observePhase(context, onSchema));

  const serversStep = {
    environment,
    version: hop.to,
    phase: 'servers',
    watch: watchOf(context, 'observe-schema', onSchema, seen),
  } as const;
  if (gates.includes('servers')) {
    conductor.next = 'replace the servers, node by node';
    const doubts = unproved();
    await conductor.gates.approval({
      ...serversStep,
      evidence: [
        ...conductor.phases.map(({ phase, summary }) => `${phase}: ${summary}`),
        ...rollLines(hop),
        ...rollBackLines(hop),
        ...doubts,
      ],
      doubts,
    });
  }
  await conductor.gates.window(serversStep);
  // From here on there is something to put back.
  conductor.desk.reversibleHop = `${environment}/${hop.to}`;
  conductor.next = 'judge the time in which they were replaced';
  const rollFrom = now();
  const inRoll = { versions: [hop.from, hop.to], singleRoles: rolesWithGap(context) };
  const roll = { kind: 'roll', baseline: baseline.measured, expected: inRoll } as const;
  const canary = { ...roll, seen: new Map<string, string>() };
  let restarts = -1;
  await conductor.phase('servers', () => {
    // Once; and in every try that failed a process may have been started and put back.
    restarts += 2;
    return replaceServers(context, { direction: 'forward', state: progress, canary });
  });

  conductor.next = `settle for ${formatDuration(policy.settle.atLeast)}`;
  const rolled = { from: rollFrom, to: now() };
  const expected = { ...inRoll, restarts };
  const whole = { ...roll, what: 'while servers were replaced', past: rolled, expected };
  await conductor.overridablePhase('observe-roll', () => observeRoll(context, whole));

  conductor.next = 'prove that every shard is owned by the new servers, then observe them';
  await conductor.phase('settle', () => settlePhase(context, context.place, baseline.measured));

  conductor.next = 'account for every workflow';
  const settled = { kind: 'settled', what: 'new servers', baseline: baseline.measured, expected: to } as const;
  await conductor.overridablePhase('observe-servers', () => observePhase(context, settled));

  conductor.next = 'the next hop';
  await conductor.overridablePhase('verify', () => verify(context));
}

/** Roles that clients find without a server for a moment of the roll: as planned, or as the input lists its nodes. */
function rolesWithGap({ hop, place }: HopContext): readonly string[] {
  return hop.roll?.gaps ?? singleRoles(listedNodes(place.target) ?? []);
}

/**
 * What it was like before anything changed. One that a person let pass, though it was judged a fail, is measured all the same:
 * without it nothing of the hop could be compared.
 */
async function observeBaseline(
  context: HopContext,
  window: Window,
): Promise<{ readonly passed: Observation | undefined; readonly measured: Observation | undefined }> {
  let measured: Observation | undefined;
  const passed = await context.conductor.overridablePhase('baseline', () =>
    observePhase(context, window).catch((error: unknown) => {
      measured = error instanceof NotGoodEnough && error.verdict === 'fail' ? error.observation : undefined;
      throw error;
    }),
  );
  return { passed, measured: passed ?? measured };
}

/**
 * The time of the roll is over: a window of it cannot be extended, and with too little evidence, as after the death of a
 * worker, a person could only let it pass. What comes after it is judged tightly; that this was not proved is told at the next
 * gate, and keeps staging from being promoted by itself. @throws NotGoodEnough when it is judged a fail
 */
async function observeRoll(context: HopContext, window: Window): Promise<Done<Observation | undefined>> {
  try {
    return await observePhase(context, window);
  } catch (error) {
    if (!(error instanceof NotGoodEnough) || error.verdict !== 'inconclusive') throw error;
    const [what = '', first = ''] = error.message.split('\n');
    return { summary: `${what}; ${first}`, value: undefined, unproved: true };
  }
}

/** Keeps `window` in sight while a gate that rests on it is open; nothing to keep where a person let a bad one pass. */
function watchOf(
  context: HopContext,
  phase: 'baseline' | 'observe-schema',
  window: Window,
  seen: Observation | undefined,
): EvidenceWatch | undefined {
  if (seen === undefined) return undefined;
  const { conductor } = context;
  return watchOver(context, window, async () => {
    const again = { ...window, what: `${window.what}, again` };
    const renewed = await conductor.overridablePhase(phase, () => observePhase(context, again));
    return renewed === undefined ? undefined : `${phase}, again: ${conductor.phases.at(-1)?.summary ?? ''}`;
  });
}

async function preflight({ target, place, hop, holder }: HopContext): Promise<Done<readonly Finding[]>> {
  const { lines, findings } = await target.act.preflight.executeWithOptions(
    { summary: `preflight of ${hop.from} → ${hop.to}` },
    [{ ...place, hop, holder }],
  );
  return { summary: lines.join('; '), value: findings };
}

async function backUp({ target, place }: HopContext, progress: Progress): Promise<Done<true>> {
  const made = [];
  for (const store of partsIn(place.target.stores)) {
    made.push(await target.act.backUpStore.executeWithOptions({ summary: `back up ${store}` }, [{ ...place, store }]));
  }
  // Where no nodes are listed it is the driver that knows what the configuration is.
  const isReadable = listedNodes(place.target)?.some(({ configDir }) => configDir !== undefined) ?? true;
  if (isReadable) {
    made.push(await target.act.backUpConfiguration.executeWithOptions({ summary: 'back up configuration' }, [place]));
  }
  progress.backups = made;
  const bytes = made.reduce((sum, backup) => sum + backup.bytes + (backup.bytesBeside ?? 0), 0);
  const without = isReadable ? '' : '; without the configuration, of which the input names no folder';
  return { summary: `${made.length} backups, ${bytes} bytes, each read back${without}`, value: true };
}

async function upgradeSchemas({ target, place, hop }: HopContext, progress: Progress): Promise<Done<true>> {
  const lines = [];
  for (const store of partsIn(hop.schema)) {
    const { to } = ofPart(hop.schema, store);
    // Nor does a cancelled roll-out leave a schema half-way between two versions.
    const {
      before,
      after,
      changed,
      alsoDone = [],
    } = await CancellationScope.nonCancellable(() =>
      target.act.upgradeSchema.executeWithOptions({ summary: `${store} schema → ${to}` }, [
        { ...place, store, schema: to },
      ]),
    );
    progress.schema[store] ??= { before, after };
    lines.push(changed ? `${store} ${before} → ${after}` : `${store} stays at ${after}`, ...alsoDone);
  }
  return { summary: lines.join(', '), value: true };
}

async function verify({ conductor, environment, target, place, load, crossing }: HopContext): Promise<Done<true>> {
  const running = await target.act.verifyRunning.executeWithOptions({ summary: 'workflows that were running' }, [
    place,
  ]);
  const missing = running.outcomes?.missing ?? running.missing.length;
  const lines = [`${running.examined} running workflows looked at, ${missing} missing`];
  const wrong = running.missing.map((id) => `workflow ${id} was running before the hop and is not there any more`);
  if (missing > wrong.length) wrong.push(`and ${missing - wrong.length} more of them`);
  if (running.stuck !== undefined) {
    const { count, sinceBefore, examples, historiesUnread } = running.stuck;
    lines.push(`${count} stuck, ${sinceBefore} of them before the hop already`);
    if (historiesUnread > 0) lines.push(`${historiesUnread} histories too long to be read for timers`);
    // What was stuck before is not the hop's doing; it stays in the line above.
    if (count > sinceBefore) wrong.push(...stuckLines(count - sinceBefore, examples));
  }
  if (running.searchAttributes !== undefined) {
    const { compared, lost } = running.searchAttributes;
    lines.push(lost.length === 0 ? `${compared} as before` : `${compared} before`);
    wrong.push(...lost);
  }
  if (load !== undefined) {
    const ledger = await target.act.verifyLedger.executeWithOptions(
      { summary: 'end the long canaries; ledger against histories' },
      [{ ...load, release: crossing, drain: false, since: conductor.acceptedUntil(environment) }],
    );
    lines.push(ledgerLine(ledger));
    wrong.push(...ledgerProblems(ledger));
  }
  if (wrong.length > 0) throw new NotGoodEnough([...lines, ...wrong].join('\n'));
  return { summary: lines.join('; '), value: true };
}

function stuckLines(count: number, examples: readonly StuckRun[]): string[] {
  return [
    `${count} workflows should have gone on since the hop and did not`,
    ...examples.map(({ namespace, workflowId, why, since }) => `${namespace}/${workflowId}: ${why}, since ${since}`),
  ];
}

/** What the hops of this target before left unproved, or passed only because somebody let them. */
function notProvedBefore({ conductor, environment }: HopContext): string[] {
  return conductor.hops
    .filter((hop) => hop.environment === environment)
    .flatMap(({ from, to, phases }) => overrideLines(phases).map((line) => `${from} → ${to}: ${line}`));
}

function schemaLines({ hop }: HopContext): string[] {
  return partsIn(hop.schema).map((store) => {
    const { from, to } = ofPart(hop.schema, store);
    return from === to ? `${store} schema stays at ${to}` : `${store} schema ${from} → ${to}`;
  });
}

/** How the servers are replaced, what is set for that time, and what clients can notice all the same. */
function rollLines({ roll }: Hop): string[] {
  if (roll === undefined) return [];
  const keys = roll.settings.map(({ key, value }) => `${key} ${value}`);
  return [
    ...(roll.pace === undefined ? [] : [`servers are replaced ${paceText(roll.pace)}`]),
    ...(keys.length === 0 ? [] : [`set while servers are replaced, taken back after it: ${keys.join(', ')}`]),
    ...roll.limits.map(({ text }) => `while servers are replaced: ${text}`),
  ];
}

/** Told before it is so: what ends the way back by servers alone. */
function rollBackLines({ to, rollBack }: Hop): string[] {
  if (rollBack.by === 'servers') return [];
  return [
    `once a server of ${to} has run, the servers alone cannot go back; only the backups can, and lose what came after them:`,
    ...rollBack.reasons.map(({ text, source }) => `no way back: ${text} (${source})`),
  ];
}

function findingLines(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ severity }) => severity !== 'note')
    .map((finding) => `${finding.severity}: ${findingText(finding)}`);
}
