import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readClaim } from '../../src/adapters/cluster/cluster-lock.js';
import { withTarget } from '../../src/adapters/cluster/target-connection.js';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import {
  atIncident,
  followUntil,
  FROM,
  incidentsOf,
  LOAD,
  SCHEMA_AFTER,
  serverOf,
  startLiveLab,
  TO,
} from '../helpers/live-roll.js';
import { SHORT_POLICY, startWorkflow, stateOf, until } from '../helpers/rollout-lab.js';

/**
 * The first history process of the new version dies while it is observed as a canary: `onFail: rollBack` puts the servers back by
 * itself. The roll-out is aborted there, and another one is begun later, from where the cluster is.
 */
let lab: Awaited<ReturnType<typeof startLiveLab>>;
let workflowId: string;
let configuration: string;
let first: RolloutResult;
/** Which run of each process there was before the roll-out. */
let before: Readonly<Record<string, string | undefined>>;

beforeAll(async () => {
  lab = await startLiveLab({ history: 2 });
  configuration = await readFile(lab.live.dynamicConfigFile, 'utf8');
  before = await instancesNow();
  await lab.startWorker();
  workflowId = await begin();
}, 600_000);

afterAll(async () => {
  await lab?.remove();
}, 120_000);

const begin = () => {
  const policy = {
    ...SHORT_POLICY,
    load: { staging: LOAD, live: LOAD },
    roll: { quiet: '2s', canary: '16s' },
    onFail: 'rollBack' as const,
  };
  return startWorkflow(lab, lab.input('1.31', { pins: { '1.30': FROM, '1.31': TO }, policy }));
};
const instancesNow = async () =>
  Object.fromEntries((await stateOf(lab.live)).nodes.map(({ name, instance }) => [name, instance]));

/** Waits until a window is being observed while servers are replaced: that of the canary. */
async function canaryIsObserved(): Promise<void> {
  await followUntil({ lab, workflowId }, ({ current }) => current?.phase === 'servers');
  await until(async () => {
    const { raw } = await lab.client.workflow.getHandle(workflowId).describe();
    const names = (raw.pendingActivities ?? []).map(({ activityType }) => activityType?.name);
    return names.includes('observe') || undefined;
  });
}

test('a canary that dies while it is observed puts the servers back, and the rest of its role is left alone', async () => {
  await canaryIsObserved();
  process.kill((await serverOf(lab, 'history-1')).pid, 'SIGKILL');
  const { hops, decisions } = await followUntil({ lab, workflowId }, atIncident('rolled-back'));
  expect(hops).toMatchObject([{ environment: 'live', outcome: 'rolled-back', servers: FROM }]);
  const byItself = decisions.filter(({ kind }) => kind === 'rollBack');
  expect(byItself).toMatchObject([{ via: 'policy', by: 'policy.onFail', counted: true }]);
  expect(byItself[0]?.reason).toMatch(/^canary history-1: fail\n[^]*health: .*history-1 did not serve/);

  const { schema, nodes } = await stateOf(lab.live);
  expect(schema).toEqual(SCHEMA_AFTER);
  expect(nodes.map(({ version, running }) => ({ version, running }))).toEqual(
    nodes.map(() => ({ version: FROM, running: true })),
  );
  const now = await instancesNow();
  const same = Object.keys(before).filter((name) => now[name] === before[name]);
  expect(same.toSorted()).toEqual(['frontend-1', 'history-2', 'worker-1']);
  const settle = hops[0]?.phases.findLast(({ phase }) => phase === 'settle');
  expect(settle?.summary).toContain('32 shards, each owned once by a new process');
}, 500_000);

test('an abort there leaves the cluster on the version before, free and as it was configured', async () => {
  const handle = lab.client.workflow.getHandle(workflowId);
  await handle.executeUpdate('abort', { args: [{ by: 'test', reason: 'later' }] });
  first = (await handle.result()) as RolloutResult;
  // Nobody was asked before the servers were back.
  expect(incidentsOf(first)).toEqual([expect.stringContaining('/rolled-back/incident/')]);
  expect(first).toMatchObject({ status: 'aborted', reason: 'later', live: { from: FROM, to: FROM } });
  expect(first.ledgers.live).toMatchObject({ lost: 0, duplicated: 0, wrong: 0, failed: 0 });
  expect(await readFile(lab.live.dynamicConfigFile, 'utf8')).toBe(configuration);
  const { connection } = lab.live.target;
  expect(await withTarget(connection, (frontend) => readClaim(frontend))).toBeUndefined();
}, 120_000);

test('a roll-out that is begun later starts from where the cluster is, and comes to its end', async () => {
  expect(await begin()).toBe(workflowId);
  await followUntil(
    { lab, workflowId },
    ({ state, startedAt }) => state === 'completed' && startedAt !== first.startedAt,
  );
  const result = (await lab.client.workflow.getHandle(workflowId).result()) as RolloutResult;
  expect(result).toMatchObject({ status: 'completed', live: { from: FROM, to: TO } });
  expect(result.hops).toMatchObject([{ environment: 'live', outcome: 'completed' }]);
  expect(incidentsOf(result)).toEqual([]);
  const summaryOf = (phase: string) => result.hops[0]?.phases.find((one) => one.phase === phase)?.summary;
  expect(summaryOf('schema')).toBe('default stays at 1.19, visibility stays at 1.14');
  expect(summaryOf('servers')).toMatch(/^5 nodes replaced; .*canary history-1 (good|inconclusive: .*)$/);
  expect(result.ledgers.live).toMatchObject({ running: 0, lost: 0, duplicated: 0, wrong: 0, failed: 0 });
  const files = [first, result].flatMap(({ hops }) => hops.flatMap(({ backups }) => backups.map(({ file }) => file)));
  expect(new Set(files).size).toBe(6);
  const { schema, nodes } = await stateOf(lab.live);
  expect(schema).toEqual(SCHEMA_AFTER);
  expect(nodes.map(({ version }) => version)).toEqual(nodes.map(() => TO));
}, 500_000);
