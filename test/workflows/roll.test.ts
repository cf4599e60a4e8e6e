import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../src/contract/activities.js';
import { ControlPlane, type RunningRollout } from '../helpers/control-plane.js';
import { LIVE_ALONE } from '../helpers/plans.js';
import { judged, rollOf, Script } from '../helpers/scripted-activities.js';

// How the servers of a hop are replaced: batches, canaries, nodes that were put back.
let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane.stop());

const HOP = 'live/1.31.2';
const NODES = ['matching-1', 'history-1', 'history-2', 'history-3', 'history-4', 'frontend-1', 'frontend-2'];
const SERVING_AT = '2026-01-01T00:00:00.000Z';
const ROLL = { quiet: '7s', canary: '11s' };

/** A target with several processes of a role. */
function scriptOf(nodes = NODES): Script {
  return new Script(LIVE_ALONE).always('planRoll', ({ direction }) =>
    Promise.resolve(rollOf(direction === 'forward' ? nodes : nodes.toReversed())),
  );
}

/** Judges canaries as `verdict` says, one after the other, and everything else as good. */
function judgeCanaries(script: Script, ...verdicts: readonly ('pass' | 'fail' | 'inconclusive')[]): Script {
  const left = [...verdicts];
  return script.always('observe', (request) => {
    const isCanary = request.kind === 'roll' && request.past === undefined;
    return judged(isCanary ? (left.shift() ?? 'pass') : 'pass', 'as the test says')(request);
  });
}

/** Each of `nodes` fails the first time, as one does whose retries are used up. */
function failingOnce(nodes: readonly string[]): Activities['replaceNode'] {
  const left = new Set(nodes);
  return ({ node, version }) =>
    left.delete(node)
      ? Promise.reject(ApplicationFailure.nonRetryable(`${node} is broken`))
      : Promise.resolve({ node, before: null, after: version, changed: true, servingAt: SERVING_AT });
}

const canaries = ({ script }: RunningRollout) =>
  script.requests('observe').filter(({ kind, past }) => kind === 'roll' && past === undefined);

/** Replaced nodes and canaries in the order of their calls, between the plan of the roll and its judgement. */
function rolled({ script }: RunningRollout): string[] {
  return script.calls.flatMap(({ name, request }) => {
    if (name === 'replaceNode') return [(request as { node: string }).node];
    const { kind, past } = request as { kind?: string; past?: unknown };
    return name === 'observe' && kind === 'roll' && past === undefined ? ['canary'] : [];
  });
}

test.concurrent('the first of each role that has more than one is observed before the rest', async () => {
  const run = await controlPlane.begin({ script: scriptOf(), policy: { roll: ROLL } });
  const { hops } = await run.result();
  expect(rolled(run)).toEqual([
    ...['matching-1', 'history-1', 'canary', 'history-2', 'history-3', 'history-4'],
    ...['frontend-1', 'canary', 'frontend-2'],
  ]);
  expect(canaries(run)).toMatchObject([
    {
      ...{ windowMs: 11_000, expected: { versions: ['1.30.7', '1.31.2'] }, baseline: { kind: 'settled' } },
      // The quiet time that proved it is part of what is observed.
      since: SERVING_AT,
    },
    { windowMs: 11_000 },
  ]);
  expect(hops[0]?.phases.find(({ phase }) => phase === 'servers')?.summary).toBe(
    '7 nodes replaced; canary history-1 good; canary frontend-1 good',
  );
  // Each with what it is to be put back to, and how long it has to be quiet.
  expect(run.script.requests('replaceNode')).toMatchObject(
    NODES.map((node) => ({ node, version: '1.31.2', previous: '1.30.7', quietMs: 7_000 })),
  );
});

test.concurrent('without canaries, in batches: never all of a role, and never two roles at once', async () => {
  const script = scriptOf();
  const first = script.holds('replaceNode');
  const run = await controlPlane.begin({ script, policy: { roll: { canary: 0, batch: 3 } } });
  await first.begun;
  expect(rolled(run)).toEqual(['matching-1']);
  const others = [script.holds('replaceNode'), script.holds('replaceNode'), script.holds('replaceNode')];
  first.release();
  for (const { begun } of others) await begun;
  expect(rolled(run).slice(1).toSorted()).toEqual(['history-1', 'history-2', 'history-3']);
  for (const held of others) held.release();
  await run.result();
  expect(rolled(run)).toEqual(expect.arrayContaining([...NODES]));
  expect(rolled(run).slice(4)).toEqual(['history-4', 'frontend-1', 'frontend-2']);
  expect(canaries(run)).toEqual([]);
  // Each is told who else is away on purpose, and the last that all have to be there in the end.
  const told = script.requests('replaceNode').map(({ node, beside, isLast }) => ({ node, beside, isLast }));
  expect(told.find(({ node }) => node === 'history-2')).toEqual({
    node: 'history-2',
    beside: ['history-1', 'history-3'],
  });
  expect(told.filter(({ beside }) => beside === undefined).map(({ node }) => node)).toEqual([
    ...['matching-1', 'history-4', 'frontend-1', 'frontend-2'],
  ]);
  expect(told.filter(({ isLast }) => isLast === true)).toEqual([{ node: 'frontend-2', isLast: true }]);
});

test.concurrent('a batch is brought to its end, and tells of every node that failed', async () => {
  const script = scriptOf();
  script.always('replaceNode', failingOnce(['history-1', 'history-3']));
  const run = await controlPlane.begin({ script, policy: { roll: { canary: 0, batch: 3 } } });
  const { name, status } = await run.atIncident(`${HOP}/servers`);
  expect(status.problem).toBe('history-1 is broken\nhistory-3 is broken');
  expect(rolled(run).length).toBe(4);
  await run.signal('retry', { gate: name });
  await run.result();
  expect(rolled(run).slice(4)).toEqual(expect.arrayContaining([...NODES]));
});

describe('a canary', () => {
  test.concurrent('that fails is an incident before the rest; retry observes it again', async () => {
    const script = judgeCanaries(scriptOf(), 'fail');
    const run = await controlPlane.begin({ script });
    const { name, status } = await run.atIncident(`${HOP}/servers`);
    expect(status.problem).toBe('canary history-1: fail\nfail: error-ratio: as the test says');
    expect(rolled(run)).toEqual(['matching-1', 'history-1', 'canary']);
    await run.signal('retry', { gate: name });
    await run.result();
    expect(rolled(run).slice(3)).toEqual([
      ...['matching-1', 'history-1', 'canary', 'history-2', 'history-3', 'history-4'],
      ...['frontend-1', 'canary', 'frontend-2'],
    ]);
  });

  test.concurrent('that was good is not observed again when a later node is retried', async () => {
    const script = scriptOf();
    script.always('replaceNode', failingOnce(['history-2']));
    const run = await controlPlane.begin({ script });
    const { name } = await run.atIncident(`${HOP}/servers`);
    await run.signal('retry', { gate: name });
    await run.result();
    expect(rolled(run).filter((one) => one === 'canary').length).toBe(2);
  });

  test.concurrent('that fails puts the servers back where the policy says so', async () => {
    const script = judgeCanaries(scriptOf(), 'pass', 'fail');
    const run = await controlPlane.begin({ script, policy: { onFail: 'rollBack' } });
    await run.atIncident(`${HOP}/rolled-back`);
    const back = script.requests('replaceNode').filter(({ version }) => version === '1.30.7');
    expect(back.map(({ node }) => node)).toEqual(NODES.toReversed());
    expect(back.every(({ previous }) => previous === '1.31.2')).toBe(true);
    // What is rolled back to has been seen before.
    expect(canaries(run).length).toBe(2);
    await run.terminate();
  });

  test.concurrent('with too little evidence is told, and stops nothing', async () => {
    const script = judgeCanaries(scriptOf(), 'inconclusive', 'inconclusive');
    const run = await controlPlane.begin({ script });
    const { hops } = await run.result();
    expect(hops).toMatchObject([{ outcome: 'completed', incidents: 0 }]);
    expect(hops[0]?.phases.find(({ phase }) => phase === 'servers')?.summary).toBe(
      '7 nodes replaced; canary history-1 inconclusive: error-ratio: as the test says; ' +
        'canary frontend-1 inconclusive: error-ratio: as the test says',
    );
    expect(canaries(run).length).toBe(2);
  });

  test.concurrent('is cut short by an abort', async () => {
    const script = scriptOf();
    script.once('observe', judged('pass', 'fine')).once('observe', judged('pass', 'fine'));
    const canary = script.holds('observe');
    const run = await controlPlane.begin({ script });
    await canary.begun;
    await run.signal('abort', { by: 'ada' });
    const { status, hops } = await run.result();
    expect([status, hops[0]?.servers]).toEqual(['aborted', '1.30.7 and 1.31.2']);
    expect(rolled(run)).toEqual(['matching-1', 'history-1', 'canary']);
  });
});

test.concurrent('a node that was put back is an incident at once, which retry mends or rollBack ends', async () => {
  const putBack = 'node history-2 did not come up with 1.31.2';
  const script = scriptOf(['history-1', 'history-2']);
  script.once('replaceNode', ({ node, version }) =>
    Promise.resolve({ node, before: null, after: version, changed: true, servingAt: SERVING_AT }),
  );
  script.fails('replaceNode', putBack, 'NodePutBack');
  const run = await controlPlane.begin({ script });
  const { name, status } = await run.atIncident(`${HOP}/servers`);
  expect(status.problem).toBe(putBack);
  expect(status.waiting).toMatchObject({ allowed: ['retry', 'abort', 'rollBack', 'restore'] });
  await run.signal('retry', { gate: name });
  expect(await run.result()).toMatchObject({ hops: [{ outcome: 'completed', incidents: 1 }] });
  // Started on the new version, put back, and replaced for good: the judge of the whole roll is told.
  expect(script.requests('observe').find(({ past }) => past !== undefined)).toMatchObject({
    expected: { restarts: 3 },
  });
});

describe('a node that was begun with and not proved', () => {
  /** Nodes that were to be quiet though they might run the version already, with the version that each was to have. */
  const askedAgain = ({ script }: RunningRollout) =>
    script.requests('replaceNode').flatMap(({ node, version, mayBeNew }) => (mayBeNew ? [`${node} ${version}`] : []));
  const begun = async () => {
    const script = scriptOf(['history-1', 'history-2', 'frontend-1']);
    script.always('replaceNode', failingOnce(['history-2']));
    const run = await controlPlane.begin({ script, policy: { roll: { canary: 0 } } });
    return { run, ...(await run.atIncident(`${HOP}/servers`)) };
  };

  test.concurrent('has to be quiet when it is tried again, and those that were proved are left alone', async () => {
    const { run, name } = await begun();
    await run.signal('retry', { gate: name });
    await run.result();
    expect(rolled(run)).toEqual(['history-1', 'history-2', 'history-1', 'history-2', 'frontend-1']);
    expect(askedAgain(run)).toEqual(['history-2 1.31.2']);
  });

  test.concurrent('has to be quiet on the way back too', async () => {
    const { run, name } = await begun();
    await run.signal('rollBack', { gate: name, by: 'ada' });
    await run.atIncident(`${HOP}/rolled-back`);
    expect(rolled(run).slice(2)).toEqual(['frontend-1', 'history-2', 'history-1']);
    expect(askedAgain(run)).toEqual(['history-2 1.30.7']);
    await run.terminate();
  });
});

test.concurrent('a hop of eight nodes, two of each role, with canaries and every gate fits in 250 events', async () => {
  const nodes = ['matching', 'history', 'frontend', 'worker'].flatMap((role) => [`${role}-1`, `${role}-2`]);
  const gates = { live: ['schema' as const, 'servers' as const] };
  const run = await controlPlane.begin({ script: scriptOf(nodes), policy: { gates } });
  await run.approve(`${HOP}/schema`);
  await run.approve(`${HOP}/servers`);
  const { hops } = await run.result();
  expect(canaries(run).length).toBe(4);
  expect(hops[0]?.historyEvents).toBeLessThanOrEqual(250);
});
