import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRollSettingsActivities } from '../../src/activities/roll-settings.js';
import { guard } from '../../src/activities/guard.js';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { HopPlace, RollSettingsResult } from '../../src/contract/activities.js';
import { RollPolicy } from '../../src/core/input/input.js';
import { removeLab, stopServersBelow } from '../../src/lab/clean-up.js';
import { startCluster, type LabCluster } from '../../src/lab/cluster.js';
import { startPostgres } from '../../src/lab/postgres.js';

const VERSION = '1.31.2';
const HISTORY_SETTINGS = ['history.alignMembershipChange', 'history.startupMembershipJoinDelay'];
const OWN = '# of the platform team\nfrontend.rps: # enough\n- value: 2400\n';
const tools = createToolResolver();
let directory: string;
let cluster: LabCluster;
let place: HopPlace;
let activities: ReturnType<typeof createRollSettingsActivities>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'roll-settings-test-'));
  const postgres = await startPostgres({ directory: join(directory, 'postgres') });
  cluster = await startCluster({
    name: 'rolled',
    version: VERSION,
    database: postgres,
    directory: join(directory, 'rolled'),
    tools,
    nodesPerRole: { history: 2 },
  });
  await writeFile(cluster.dynamicConfigFile, OWN);
  place = {
    target: cluster.target,
    environment: 'live',
    rolloutId: 'upgrade-rolled',
    dataDir: join(directory, 'data'),
    from: '1.30.7',
    to: VERSION,
    attempt: 1,
    firstRunId: 'run',
  };
  activities = guard(createRollSettingsActivities({ tools, catalogue: await loadCatalogue() }));
}, 300_000);

afterAll(async () => {
  await stopServersBelow(directory);
  await removeLab(join(directory, 'postgres'));
  await rm(directory, { recursive: true, force: true });
}, 60_000);

const apply = (roll: Partial<RollPolicy> = {}): Promise<RollSettingsResult> =>
  new MockActivityEnvironment().run(() =>
    activities.applyRollSettings({ ...place, direction: 'forward', roll: RollPolicy.parse(roll) }),
  );
const takeBack = (): Promise<RollSettingsResult> =>
  new MockActivityEnvironment().run(() => activities.takeBackRollSettings(place));

const logOf = (name: string) => readFile(join(directory, 'rolled', 'logs', `${name}.log`), 'utf8');
const allSeen = () => Object.fromEntries(cluster.nodes.map(({ name }) => [name, 'seen']));

test('every server picks the settings up, by its own log; the roles of one process get none', async () => {
  const result = await apply();
  expect(result.keys).toEqual(HISTORY_SETTINGS);
  expect(result.nodes).toEqual(allSeen());
  expect(result.limits).toEqual([
    expect.stringMatching(/^frontend has one process/),
    expect.stringMatching(/^matching has one process/),
  ]);
  const log = await logOf('frontend-1');
  for (const key of HISTORY_SETTINGS) {
    expect(log).toContain(
      `dynamic config changed for the key: ${key.toLowerCase()} oldValue: nil newValue: { constraints: {} value: 10s }`,
    );
  }
  // Of a key that servers do not know they would warn.
  expect(log).not.toContain('unregistered key');
}, 90_000);

test('twice changes nothing, and needs no waiting', async () => {
  const before = await readFile(cluster.dynamicConfigFile, 'utf8');
  expect((await apply()).nodes).toEqual(allSeen());
  expect(await readFile(cluster.dynamicConfigFile, 'utf8')).toBe(before);
}, 90_000);

test('a history process that stops and starts now does as it was told', async () => {
  await cluster.driver.stopNode('history-2');
  await cluster.driver.startNode('history-2', VERSION);
  const said = async () =>
    /delaying before membership start.*startupMembershipJoinDelay":"?10/.test(await logOf('history-2'));
  for (let tried = 0; !(await said()) && tried < 100; tried += 1) await sleep(100);
  const log = await logOf('history-2');
  expect(log).toMatch(/Evicting self from membership ring as of/);
  expect(await said()).toBe(true);
}, 90_000);

test('taken back, the file is what it was, and every server says so; twice changes nothing', async () => {
  const result = await takeBack();
  expect(result.keys).toEqual(HISTORY_SETTINGS);
  expect(result.nodes).toEqual(allSeen());
  expect(await readFile(cluster.dynamicConfigFile, 'utf8')).toBe(OWN);
  for (const { name } of cluster.nodes) {
    const log = await logOf(name);
    for (const key of HISTORY_SETTINGS) {
      expect(log).toContain(
        `dynamic config changed for the key: ${key.toLowerCase()} oldValue: { constraints: {} value: 10s } newValue: nil`,
      );
    }
  }
  expect(await takeBack()).toMatchObject({ keys: [], lines: ['no settings of the roll to take back'] });
}, 90_000);

test('as configured: nothing is written, and what a broken roll left is taken out', async () => {
  await apply();
  const result = await apply({ style: 'asConfigured' });
  expect(result).toMatchObject({ keys: [], lines: ['no settings for the roll'] });
  expect(await readFile(cluster.dynamicConfigFile, 'utf8')).toBe(OWN);
}, 90_000);
