import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { createControlActivities } from '../../src/activities/control-activities.js';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import type { ClusterFacts } from '../../src/core/cluster.js';
import { ControlPlane, type RunningRollout, type RunSettings } from '../helpers/control-plane.js';
import { LIVE_ALONE } from '../helpers/plans.js';
import { rolloutText, targetText } from '../helpers/rollout-input.js';
import { Script, type ActivityName } from '../helpers/scripted-activities.js';

// A roll-out waits for its server most of the time, so those of this file run side by side.
let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane.stop());

/** None of these changes a target but for the claim, which is let go again. */
const LOOKING: readonly ActivityName[] = [
  'validateInput',
  'inspectTarget',
  'makePlan',
  'bringTools',
  'examineTarget',
  'claimTarget',
  'releaseTarget',
];

/** How the roll-out failed, after it was seen that it changed nothing. */
async function failureOf(run: RunningRollout): Promise<ApplicationFailure> {
  const error: unknown = await run.result().then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
  expect(run.script.calls.map(({ name }) => name).filter((name) => !LOOKING.includes(name))).toEqual([]);
  const claimed = run.script.requests('claimTarget').length;
  // The claim that failed took nothing.
  if (claimed > 0) expect(run.script.count('releaseTarget')).toBe(claimed - 1);
  expect(error.cause.nonRetryable).toBe(true);
  return error.cause;
}

const begin = (settings: RunSettings) => controlPlane.begin(settings);

test.concurrent.each<[string, unknown]>([
  ['nothing', undefined],
  ['null', null],
  ['a string', 'prod'],
  ['a number', 7],
  ['a list', [rolloutText()]],
  ['an empty object', {}],
  ['an object whose version is no text', { ...rolloutText(), to: { major: 1 } }],
])('%s in place of an input is refused at once', async (_, raw) => {
  const run = await begin({ raw });
  const { type, message, details } = await failureOf(run);
  expect(type).toBe('InvalidRollout');
  expect(message).not.toBe('');
  expect(details?.[0]).toEqual(expect.arrayContaining([{ path: expect.any(String), message: expect.any(String) }]));
  expect(run.script.calls.map(({ name }) => name)).toEqual(['validateInput']);
  // Who looks at it later still gets an answer.
  expect(await run.status()).toMatchObject({ rolloutId: run.workflowId, hops: [], decisions: [] });
});

test.concurrent('every problem of an input is told, with its place', async () => {
  const right = rolloutText();
  const raw = {
    ...right,
    to: 'newest',
    live: { ...targetText('live'), name: 'Not A Name', backupdir: '/tmp' },
    policy: { settle: { atLeast: '1m' } },
  };
  const { message, details } = await failureOf(await begin({ raw }));
  const problems = (details?.[0] ?? []) as { path: string; message: string }[];
  expect(problems.map(({ path }) => path).sort()).toEqual([
    'live.backupdir',
    'live.name',
    'policy.settle.reason',
    'to',
  ]);
  for (const problem of problems) expect(message).toContain(`${problem.path}: ${problem.message}`);
});

test.concurrent('an input that names a target as both staging and live is refused', async () => {
  const { type } = await failureOf(await begin({ raw: { ...rolloutText(), live: rolloutText().staging } }));
  expect(type).toBe('InvalidRollout');
});

/** The planner is real here; what is known of the clusters is not. */
const real = createControlActivities({ catalogue: await loadCatalogue() });

function clusterWith(clusterId: string, version: string | undefined): ClusterFacts {
  const store = { product: 'PostgreSQL 15', database: 'temporal', schemaVersion: '1.18', bytes: 1 };
  return {
    clusterId,
    clusterName: 'active',
    historyShardCount: 4,
    persistenceStore: 'postgres12',
    visibilityStore: 'postgres12',
    frontends: [],
    namespaces: [],
    nodes: [
      { name: 'history-1', role: 'history', rpcAddress: '127.0.0.1:7234', running: version !== undefined, version },
    ],
    stores: { default: store, visibility: store },
  };
}

function planning(staging: ClusterFacts, live: ClusterFacts): Script {
  return new Script(LIVE_ALONE)
    .once('makePlan', (request) => real.makePlan(request))
    .always('inspectTarget', ({ target }) => Promise.resolve(target.name.endsWith('-staging') ? staging : live));
}

test.concurrent.each<[string, Script, string, RegExp]>([
  [
    'a newer version than the one asked for',
    planning(clusterWith('a', '1.31.2'), clusterWith('b', '1.32.1')),
    'UnsupportedPath',
    /1\.32\.1/,
  ],
  [
    'nothing to do',
    planning(clusterWith('a', '1.31.5'), clusterWith('b', '1.31.5')),
    'UnsupportedPath',
    /there is nothing to upgrade/,
  ],
  [
    'one cluster that is both',
    planning(clusterWith('a', '1.30.7'), clusterWith('a', '1.30.7')),
    'PreflightFailed',
    /one and the same cluster/,
  ],
  [
    'a cluster without servers',
    planning(clusterWith('a', '1.30.7'), clusterWith('b', undefined)),
    'PreflightFailed',
    /no server process of .* runs/,
  ],
])('%s: no plan, and the clusters are not taken', async (_, script, type, message) => {
  const run = await begin({ script });
  const failure = await failureOf(run);
  expect(failure).toMatchObject({ type, message: expect.stringMatching(message) });
  expect([script.count('makePlan'), script.count('claimTarget')]).toEqual([1, 0]);
});

test.concurrent('a pin that is no release is refused at once', async () => {
  const script = planning(clusterWith('a', '1.29.1'), clusterWith('b', '1.29.1'));
  const names = { staging: targetText('pinned-staging'), live: targetText('pinned') };
  const run = await begin({ script, raw: { ...rolloutText(), ...names, pins: { '1.30': '1.30.99' } } });
  const failure = await failureOf(run);
  expect(failure).toMatchObject({
    type: 'PreflightFailed',
    message: expect.stringContaining('the pin 1.30 = 1.30.99 is no known patch'),
  });
  expect(script.count('makePlan')).toBe(1);
});

test.concurrent('findings that stand in the way are in the failure', async () => {
  const run = await begin({ script: planning(clusterWith('a', '1.31.5'), clusterWith('b', '1.31.5')) });
  const { details } = await failureOf(run);
  expect(details?.[0]).toMatchObject([{ id: 'nothing-to-do', severity: 'block' }]);
});

test.concurrent.each<[ActivityName, string]>([
  ['inspectTarget', 'TargetIsControlPlane'],
  ['inspectTarget', 'PreflightFailed'],
  ['bringTools', 'ToolUnavailable'],
  ['examineTarget', 'PreflightFailed'],
  ['claimTarget', 'ClusterBusy'],
])('%s that fails with %s ends it before anything was changed', async (activity, type) => {
  const details = [{ workflowId: 'upgrade-other' }];
  const script = new Script(LIVE_ALONE).fails(activity, `no: ${type}`, type, details);
  const failure = await failureOf(await begin({ script }));
  expect(failure).toMatchObject({ type, message: `no: ${type}`, details });
  expect(script.count('releaseTarget')).toBe(0);
});

test.concurrent('a live cluster that is taken lets staging go again', async () => {
  const script = new Script(LIVE_ALONE).once('claimTarget', () => Promise.resolve());
  script.fails('claimTarget', 'upgrade-other holds it', 'ClusterBusy', [{ workflowId: 'upgrade-other' }]);
  const run = await begin({ script });
  expect(await failureOf(run)).toMatchObject({ type: 'ClusterBusy', message: 'upgrade-other holds it' });
  expect(script.requests('releaseTarget').map(({ target }) => target.name)).toEqual([`${run.name}-staging`]);
  expect(script.requests('releaseTarget')[0]?.holder).toEqual(script.requests('claimTarget')[0]?.holder);
});

test.concurrent('a staging cluster that cannot be let go hides nothing', async () => {
  const script = new Script(LIVE_ALONE).once('claimTarget', () => Promise.resolve());
  script.fails('claimTarget', 'upgrade-other holds it', 'ClusterBusy').fails('releaseTarget', 'no answer');
  expect(await failureOf(await begin({ script }))).toMatchObject({ type: 'ClusterBusy' });
});

test.concurrent('both clusters are taken in the name of the first run', async () => {
  const run = await begin({});
  await run.result();
  const { handle, script, workflowId } = run;
  const holders = [...script.requests('claimTarget'), ...script.requests('releaseTarget')].map(({ holder }) => holder);
  expect(holders).toEqual(
    Array(4).fill(expect.objectContaining({ workflowId, firstRunId: handle.firstExecutionRunId })),
  );
});
