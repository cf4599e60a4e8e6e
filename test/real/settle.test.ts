import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../src/activities/index.js';
import { snapshotFiles } from '../../src/activities/snapshot-files.js';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import { readShardsByAdmin } from '../../src/adapters/cluster/admin-shards.js';
import { withTarget } from '../../src/adapters/open-target.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { Activities, HopPlace, SettleRequest, SettleResult } from '../../src/contract/activities.js';
import type { ShardRow } from '../../src/core/cluster.js';
import type { Target } from '../../src/core/input/input.js';
import { addressOf } from '../../src/core/settling/owner.js';
import type { ShardPicture } from '../../src/core/shard-picture.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';

/**
 * The settle of a real cluster: two history nodes on the wanted version; a third, that the target does not name, stands for a
 * process of before that is still there. Rows are written every five seconds instead of five minutes.
 */
const [OLD, WANTED] = ['1.30.7', '1.31.2'] as const;
const SHARDS = 32;
const STEADY_MS = 6_000;
const OFTEN = {
  'history.shardUpdateMinInterval': '5s',
  'history.shardFirstUpdateInterval': '1s',
  'history.transferProcessorUpdateAckInterval': '2s',
};

const tools = createToolResolver();
let folder: string;
let postgres: LabPostgres;
let cluster: LabCluster;
let target: Target;
let activities: Activities;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settle-'));
  postgres = await startPostgres();
  activities = createActivities({ tools, catalogue: await loadCatalogue() });
  cluster = await startCluster({
    name: 'settle',
    version: WANTED,
    database: postgres,
    tools,
    directory: join(folder, 'cluster'),
    nodesPerRole: { history: 3 },
    shards: SHARDS,
    dynamicConfig: OFTEN,
  });
  await cluster.driver.stopNode('history-3');
  const nodes = cluster.nodes.filter(({ name }) => name !== 'history-3');
  target = { ...cluster.target, driver: { ...cluster.target.driver, nodes } };
}, 600_000);

afterAll(async () => {
  await cluster?.stop();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const addressOfNode = (name: string) => cluster.nodes.find((node) => node.name === name)?.rpcAddress ?? '';
const rowsNow = () => withTarget(target, tools, ({ stores }) => stores.default.readShards());
const placeOf = (attempt: number, more: Partial<Target> = {}): HopPlace => ({
  target: { ...target, ...more },
  environment: 'staging',
  rolloutId: 'upgrade-test',
  dataDir: join(folder, 'data'),
  from: OLD,
  to: WANTED,
  attempt,
  firstRunId: 'a-run',
});

interface Settled {
  readonly result?: SettleResult;
  readonly refusal?: ApplicationFailure;
  readonly pictures: readonly ShardPicture[];
}

/** Has the settle proved. It must be there `withinMs` after `watchMs`. */
async function settle(
  place: HopPlace,
  {
    watchMs = 0,
    withinMs = 0,
    ...demands
  }: Partial<SettleRequest['demands']> & { watchMs?: number; withinMs?: number },
): Promise<Settled> {
  const environment = new MockActivityEnvironment();
  const pictures: ShardPicture[] = [];
  environment.on('heartbeat', (details: ShardPicture | undefined) => {
    if (details !== undefined) pictures.push(details);
  });
  const request: SettleRequest = {
    ...place,
    until: new Date(Date.now() + watchMs).toISOString(),
    timeoutMs: withinMs,
    demands: { steadyMs: STEADY_MS, updates: 0, ...demands },
  };
  try {
    return {
      result: await environment.run((asked: SettleRequest) => activities.proveSettle(asked), request),
      pictures,
    };
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    return { refusal: error, pictures };
  }
}

const snapshot = (place: HopPlace) =>
  new MockActivityEnvironment().run(() => activities.takeSnapshot({ ...place, shardsOnly: true }));

async function restart(name: string): Promise<number> {
  await cluster.driver.stopNode(name);
  const { startedAt = '' } = await cluster.driver.startNode(name, WANTED);
  return Date.parse(startedAt);
}

test('is proved when every shard is owned by a new process, written by it, and stays there', async () => {
  const place = placeOf(1);
  expect(await snapshot(place)).toMatchObject({ shards: SHARDS });
  await restart('history-1');
  await restart('history-2');
  const { result, refusal, pictures } = await settle(place, { watchMs: 8_000, withinMs: 120_000, updates: 2 });
  expect(refusal?.message).toBeUndefined();
  expect(Object.keys(result?.owners ?? {}).sort()).toEqual(['history-1', 'history-2'].map(addressOfNode).sort());
  expect(Object.values(result?.owners ?? {}).reduce((sum, count) => sum + count, 0)).toBe(SHARDS);
  expect(result?.picture).toMatchObject({ wanted: WANTED, shards: SHARDS, unproved: 0, waitsFor: [] });
  expect(result?.picture.owners.every(({ version }) => version === WANTED)).toBe(true);
  expect(result?.queueLag).toBe('lag of the queues not judged: there is no baseline');
  // The rows had to be written again and again for that, as they are on an idle cluster.
  expect(pictures[0]?.unproved).toBe(SHARDS);
  expect(pictures.length).toBeGreaterThan(2);
}, 240_000);

test('a proof that was killed goes on with what it had seen; without its file it begins anew', async () => {
  const files = snapshotFiles(placeOf(1));
  await appendFile(files.shardWatch, '{"at":1,"rows":[[1,"');
  const { result, refusal } = await settle(placeOf(1), { updates: 2 });
  expect(refusal?.message).toBeUndefined();
  expect(result?.shards).toBe(SHARDS);
  expect((await readFile(files.shardWatch, 'utf8')).endsWith(']}\n')).toBe(true);

  const anew = placeOf(2);
  await snapshot(anew);
  const { refusal: early } = await settle(anew, { updates: 2 });
  expect(early?.message).toMatch(
    new RegExp(`${SHARDS} shards of settle are not proved .*\nshard 1 is watched since .* only; no change for 6s`),
  );
  expect(early).toMatchObject({ type: 'Precondition', nonRetryable: true });
}, 60_000);

test('the AdminService shows the same rows, and is as good for the proof', async () => {
  const withoutTime = (rows: readonly ShardRow[]) =>
    rows.map(({ shardId, rangeId, owner }) => ({ shardId, rangeId, owner }));
  expect(withoutTime(await readShardsByAdmin(target.connection))).toEqual(withoutTime(await rowsNow()));
  const place = placeOf(3, { shardsFrom: 'admin' });
  await snapshot(place);
  const { result, refusal } = await settle(place, { watchMs: STEADY_MS, withinMs: 120_000, updates: 1 });
  expect(refusal?.message).toBeUndefined();
  expect(result?.shards).toBe(SHARDS);
}, 180_000);

test('is refused while a history node is down, and names it', async () => {
  await cluster.driver.stopNode('history-2');
  const { refusal, pictures } = await settle(placeOf(1), { withinMs: 4_000 });
  expect(refusal?.message).toContain(`history node history-2 (${addressOfNode('history-2')}) is down`);
  expect(pictures.at(-1)?.waitsFor).toContain(`history node history-2 (${addressOfNode('history-2')}) is down`);
  const byAdmin = await settle(placeOf(3, { shardsFrom: 'admin' }), {});
  expect(byAdmin.refusal?.message).toContain('history-2');
  await cluster.driver.startNode('history-2', WANTED);
}, 180_000);

test('is refused while owners change, and proved only when none has for long enough', async () => {
  const place = placeOf(1);
  await settle(place, { withinMs: 120_000 });
  await restart('history-2');
  const { refusal } = await settle(place, {});
  expect(refusal?.message).toMatch(/shard \d+ (changed its owner|its owner|no history|was last written)/);

  // Away and back again, while it is watched.
  const watching = settle(place, { watchMs: 2_000, withinMs: 180_000 });
  await sleep(3_000);
  const startedAt = await restart('history-2');
  const { result, pictures } = await watching;
  const waited = pictures.flatMap(({ waitsFor }) => waitsFor);
  expect(waited.some((line) => /changed its owner .* no change for 6s is asked/.test(line))).toBe(true);
  expect(Date.parse(result?.provedAt ?? '')).toBeGreaterThanOrEqual(startedAt + STEADY_MS);
}, 300_000);

test('is refused while a process of the version before holds a shard, and names shard and process', async () => {
  await cluster.driver.startNode('history-3', OLD);
  const old = addressOfNode('history-3');
  const owned = async () => (await rowsNow()).filter(({ owner }) => addressOf(owner) === old);
  while ((await owned()).length === 0) await sleep(200);
  const { refusal, pictures } = await settle(placeOf(1), { withinMs: 3_000 });
  expect(refusal?.message).toMatch(/^\d+ shards of settle are not proved to be owned by 1\.31\.2 alone:/);
  expect(refusal?.message).toMatch(
    new RegExp(`shard \\d+ its owner, ${old.replaceAll('.', '\\.')}-\\S+, is no process of the wanted version`),
  );
  expect(refusal?.message).toMatch(
    new RegExp(`history processes hold \\d+ shards in all, and the cluster has ${SHARDS}`),
  );
  // Nobody knows which version a process has that the target does not name.
  expect(pictures.at(-1)?.owners.find(({ address }) => address === old)).toEqual({
    address: old,
    shards: expect.any(Number),
  });

  await cluster.driver.stopNode('history-3');
  const { result, refusal: still } = await settle(placeOf(1), { withinMs: 180_000 });
  expect(still?.message).toBeUndefined();
  expect(result?.owners).not.toHaveProperty(old);
}, 300_000);
