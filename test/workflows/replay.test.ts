import { readdir, readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { temporal } from '@temporalio/proto';
import { DeterminismViolationError } from '@temporalio/workflow';
import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { SCENARIOS } from '../histories/scenarios.js';
import { bundleWorkflows } from '../helpers/workflow-bundle.js';

/*
 * Roll-outs last for days, so a new release meets workflows that an older one began. Every recorded history has to be
 * replayed by the workflows of today. `npm run record-histories` writes them; docs/architecture.md says when.
 */

type History = temporal.api.history.v1.IHistory;
type Event = temporal.api.history.v1.IHistoryEvent;

const folder = new URL('../histories/', import.meta.url);
const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
const recorded = new Map(
  await Promise.all(
    files.map(async (file) => {
      const text = await readFile(new URL(file, folder), 'utf8');
      return [file, () => historyFromJSON(JSON.parse(text))] as const;
    }),
  ),
);

let workflowBundle: { codePath: string };
beforeAll(async () => {
  // A history that cannot be replayed is logged as a warning; here some are meant not to be.
  const logging = { filter: makeTelemetryFilterString({ core: 'ERROR' }) };
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined), telemetryOptions: { logging } });
  workflowBundle = await bundleWorkflows();
}, 120_000);

/** What became of each history, in their order; `undefined` for one that replayed. */
async function replay(histories: readonly History[]): Promise<(Error | undefined)[]> {
  const outcomes = new Map<string, Error | undefined>();
  const started = histories.map(({ events }) => {
    const { workflowId, originalExecutionRunId } = events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
    return { workflowId: workflowId ?? '', runId: originalExecutionRunId ?? '' };
  });
  const replayed = histories.map((history, index) => ({ workflowId: started[index]?.workflowId ?? '', history }));
  for await (const { runId, error } of Worker.runReplayHistories({ workflowBundle }, replayed))
    outcomes.set(runId, error);
  return started.map(({ runId }) => (outcomes.has(runId) ? outcomes.get(runId) : new Error('it was not replayed')));
}

test('every recorded history is replayed by the workflows of today', async () => {
  const outcomes = await replay([...recorded.values()].map((history) => history()));
  expect(Object.fromEntries(files.map((file, index) => [file, outcomes[index]]))).toEqual(
    Object.fromEntries(files.map((file) => [file, undefined])),
  );
});

/** What the histories have to show between them, so that none can be left out unnoticed. */
const CASES: Record<string, (events: readonly Event[]) => boolean> = {
  preparation: (events) => schedules(events, 'validateInput', 'makePlan', 'claimTarget'),
  'a staging hop under load': (events) =>
    schedules(events, 'startLongCanaries', 'upgradeSchema', 'replaceNode', 'proveSettle', 'verifyLedger'),
  'the start of the load': (events) =>
    events.some((event) => event.startChildWorkflowExecutionInitiatedEventAttributes),
  'the meter itself': (events) => schedules(events, 'runMeter') && signals(events, 'stopMeter').length > 0,
  'evidence that broke while its gate was open': (events) =>
    scheduled(events).filter((name) => name === 'watchEvidence').length === 3 &&
    signals(events, 'approve').some((text) => text.includes('/again/3')),
  'a roll-back by policy': (events) => result(events).includes('"via":"policy"'),
  'a roll-back': (events) => scheduled(events).filter((name) => name === 'planRoll').length === 2,
  'live that is watched': (events) =>
    startInput(events).includes('"promoted":true') && schedules(events, 'observe', 'writeReport'),
  'the load itself': (events) => schedules(events, 'runLoad') && signals(events, 'stopLoad').length > 0,
  'a live hop with all gates': (events) =>
    ['promote', 'schema', 'servers'].every((gate) =>
      sent(events).some((text) => text.includes(`live/1.31.2/${gate}"`)),
    ),
  'a decision by update': (events) => events.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes),
  'a signal that does not count': (events) =>
    // The servers' gate is approved twice: once before it is open.
    sent(events).filter((text) => text.includes('live/1.31.2/servers"')).length > 1,
  'pause and resume': (events) => signals(events, 'pause').length > 0 && signals(events, 'resume').length > 0,
  'a settle timer': (events) => timers(events).some((summary) => summary.includes('shard settle')),
  'an incident with retry': (events) =>
    signals(events, 'retry').some((text) => text.includes('settle/incident')) &&
    events.some((event) => event.activityTaskFailedEventAttributes),
  'an incident that was overridden': (events) => signals(events, 'approve').some((text) => text.includes('/incident/')),
  'an observation that was extended': (events) =>
    scheduled(events).indexOf('backUpStore') - scheduled(events).indexOf('observe') > 1,
  'a rejected gate': (events) => signals(events, 'reject').length > 0,
  'a roll-back at an incident, then retry': (events) =>
    signals(events, 'rollBack').some((text) => text.includes('/incident/')) &&
    signals(events, 'retry').some((text) => text.includes('/rolled-back/')),
  'a finished hop that was taken back while live was watched': (events) =>
    schedules(events, 'observe', 'replaceNode') &&
    !schedules(events, 'upgradeSchema') &&
    signals(events, 'rollBack').some((text) => text.includes('"live/1.31.2"')),
  'a second try of a hop': (events) =>
    scheduled(events)[0] === 'preflight' && startInput(events).includes('"outcome":"rolled-back"'),
  'a restore of the databases, broken off and gone on with, then retry': (events) =>
    scheduled(events).filter((name) => name === 'startServers').length === 2 &&
    schedules(events, 'estimateRestore', 'restoreStores', 'refreshVisibility', 'undoInLedger') &&
    signals(events, 'retry').some((text) => text.includes('/restored/')),
  'a restore that was rejected': (events) =>
    schedules(events, 'estimateRestore') && signals(events, 'reject').some((text) => text.includes('/restore"')),
  'a restore after a roll-back that failed': (events) =>
    schedules(events, 'restoreStores') && signals(events, 'restore').some((text) => text.includes('/roll-back/')),
  'a roll-back that was refused': (events) =>
    !scheduled(events).includes('estimateRestore') &&
    signals(events, 'rollBack').some((text) => text.includes('/observe-servers/')) &&
    signals(events, 'approve').some((text) => text.includes('/observe-servers/')),
  'a roll-back in the settle timer': (events) =>
    signals(events, 'rollBack').some((text) => text.includes('"live/1.31.2"')),
  'an abort that ends a timer': (events) =>
    signals(events, 'abort').length > 0 && events.some((event) => event.timerCanceledEventAttributes),
  'an abort that ends an observation': (events) =>
    signals(events, 'abort').length > 0 && events.some((event) => event.activityTaskCancelRequestedEventAttributes),
  'the last run': (events) =>
    startInput(events).includes('"hops":[{') &&
    schedules(events, 'releaseTarget', 'writeReport') &&
    events.some((event) => event.workflowExecutionCompletedEventAttributes),
};

test.each(Object.entries(CASES))('the histories show %s', (_, shows) => {
  expect(files.filter((file) => shows(recorded.get(file)?.().events ?? []))).not.toEqual([]);
});

test('every scenario is recorded, from its first run to its last', () => {
  for (const { name, beside } of SCENARIOS) {
    const runs = files.filter((file) => new RegExp(`^${name}\\.\\d+\\.json$`).test(file));
    const ends = runs.map((file) => recorded.get(file)?.().events?.at(-1));
    expect(ends.map((end) => Boolean(end?.workflowExecutionContinuedAsNewEventAttributes))).toEqual([
      ...runs.slice(1).map(() => true),
      false,
    ]);
    expect(ends.at(-1)?.workflowExecutionCompletedEventAttributes).toBeTruthy();
    if (beside === true) expect(files).toEqual(expect.arrayContaining([`${name}.load.json`, `${name}.meter.json`]));
  }
});

test.each<[string, (events: Event[]) => void]>([
  [
    'another activity',
    (events) => {
      const { attributes } = schedulingOf(events, 'proveSettle');
      attributes.activityType = { name: 'proveTheSettle' };
    },
  ],
  [
    'two steps in another order',
    (events) => {
      const [schema, observation] = [schedulingOf(events, 'upgradeSchema'), schedulingOf(events, 'takeSnapshot')];
      [schema.attributes.activityType, observation.attributes.activityType] = [
        observation.attributes.activityType,
        schema.attributes.activityType,
      ];
    },
  ],
  [
    'a timer in the place of a step',
    (events) => {
      const { event, attributes } = schedulingOf(events, 'proveSettle');
      event.eventType = temporal.api.enums.v1.EventType.EVENT_TYPE_TIMER_STARTED;
      event.activityTaskScheduledEventAttributes = null;
      event.timerStartedEventAttributes = {
        timerId: attributes.activityId,
        workflowTaskCompletedEventId: attributes.workflowTaskCompletedEventId,
        startToFireTimeout: attributes.startToCloseTimeout,
      };
      // Nothing comes after it yet.
      events.splice(events.indexOf(event) + 1);
    },
  ],
])('a history with %s is not: such a change of the workflow is found', async (_, alter) => {
  const { events } = recorded.get('incidents.2.json')?.() ?? {};
  if (!events) throw new Error('incidents.2.json was not recorded');
  alter(events);
  const [outcome] = await replay([{ events }]);
  expect(outcome).toBeInstanceOf(DeterminismViolationError);
});

function schedulingOf(events: readonly Event[], name: string) {
  for (const event of events) {
    const attributes = event.activityTaskScheduledEventAttributes;
    if (attributes?.activityType?.name === name) return { event, attributes };
  }
  throw new Error(`the history has no ${name}`);
}

function scheduled(events: readonly Event[]): string[] {
  return events.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
}

function schedules(events: readonly Event[], ...names: readonly string[]): boolean {
  return names.every((name) => scheduled(events).includes(name));
}

/** Payloads of the signals of a name, as text. */
function signals(events: readonly Event[], name: string): string[] {
  return events.flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
    signal?.signalName === name ? [textOf(signal.input)] : [],
  );
}

/** Payloads of all signals and updates, as text. */
function sent(events: readonly Event[]): string[] {
  return events.flatMap((event) => [
    ...(event.workflowExecutionSignaledEventAttributes
      ? [textOf(event.workflowExecutionSignaledEventAttributes.input)]
      : []),
    textOf(event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.args),
  ]);
}

function startInput(events: readonly Event[]): string {
  return textOf(events[0]?.workflowExecutionStartedEventAttributes?.input);
}

function result(events: readonly Event[]): string {
  return textOf(events.at(-1)?.workflowExecutionCompletedEventAttributes?.result);
}

function timers(events: readonly Event[]): string[] {
  return events.flatMap(({ timerStartedEventAttributes, userMetadata }) =>
    timerStartedEventAttributes ? [Buffer.from(userMetadata?.summary?.data ?? []).toString()] : [],
  );
}

function textOf(payloads: temporal.api.common.v1.IPayloads | null | undefined): string {
  return (payloads?.payloads ?? []).map(({ data }) => Buffer.from(data ?? []).toString()).join(' ');
}
