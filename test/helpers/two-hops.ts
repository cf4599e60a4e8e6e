import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import { mapStores, partsIn } from '../../src/core/stores.js';
import type { LabStore } from '../../src/lab/start-database.js';
import { SHORT_POLICY, startTestLab, startWorkflow, stateOf, waitForStatus } from './rollout-lab.js';

/** The schema of every kind of store changes in one of these hops. */
const TWO = ['1.28.1', '1.29.1', '1.30.7'] as const;
/** The first of them, in which the schema of every default store changes. */
const ONE = ['1.28.1', '1.29.1'] as const;
/** Of servers that have the old plugins, and visibility in Cassandra. */
const OLD = ['1.20.5', '1.21.6'] as const;

/** Schema versions that the last of them wants, by the catalogue. */
const SCHEMAS = {
  '1.30.7': {
    postgresql: { default: '1.18', visibility: '1.13' },
    mysql: { default: '1.18', visibility: '1.13' },
    cassandra: { default: '1.13', visibility: '' },
    elasticsearch: { default: '', visibility: 'v13' },
  },
  '1.29.1': {
    postgresql: { default: '1.18', visibility: '1.9' },
    mysql: { default: '1.18', visibility: '1.9' },
    cassandra: { default: '1.13', visibility: '' },
    elasticsearch: { default: '', visibility: 'v9' },
  },
  '1.21.6': {
    postgresql: { default: '1.10', visibility: '1.1' },
    mysql: { default: '1.10', visibility: '1.1' },
    cassandra: { default: '1.8', visibility: '1.0' },
    elasticsearch: { default: '', visibility: 'v5' },
  },
} as const;
const LOAD = { startsPerSecond: 2, longRunning: 3, probesPerSecond: 5 };

/** Tests of a whole roll-out of two hops, on staging and on live, both under load, on clusters that stand on `store`. */
export function testTwoHops(store: LabStore): void {
  testHops(store, TWO);
}

/** The same of one hop; with `storeTls` all that is asked of the databases goes through TLS, with a certificate on both sides. */
export function testOneHop(store: LabStore, options: { readonly storeTls?: boolean } = {}): void {
  testHops(store, ONE, options);
}

/** The same of one hop of old servers. */
export function testOldHop(store: LabStore): void {
  testHops(store, OLD);
}

function testHops(
  store: LabStore,
  versions: typeof TWO | typeof ONE | typeof OLD,
  options: { readonly storeTls?: boolean } = {},
): void {
  const [first] = versions;
  const last = versions === TWO ? TWO[2] : versions[1];
  const hops = versions.slice(1).map((to, index) => ({ from: versions[index], to }));
  const minorOf = (version: string) => version.slice(0, version.lastIndexOf('.'));
  let lab: Awaited<ReturnType<typeof startTestLab>>;
  let result: RolloutResult;

  beforeAll(async () => {
    lab = await startTestLab({ store, version: first, ...options });
    await lab.startWorker();
    const policy = { ...SHORT_POLICY, load: { staging: LOAD, live: LOAD } };
    const pins = Object.fromEntries(versions.map((version) => [minorOf(version), version]));
    const workflowId = await startWorkflow(lab, lab.input(minorOf(last), { pins, policy }));
    // An incident would wait for a person for as long as the test does.
    await waitForStatus(lab, workflowId, ({ state }) => state === 'completed');
    result = (await lab.client.workflow.getHandle(workflowId).result()) as RolloutResult;
  }, 1_800_000);

  afterAll(() => lab?.remove(), 120_000);

  test('both clusters went all hops without an incident, and nobody decided anything', () => {
    expect(result).toMatchObject({ status: 'completed', decisions: [], live: { from: first, to: last } });
    expect(
      result.hops.map(({ environment, from, to, outcome, incidents }) => [environment, from, to, outcome, incidents]),
    ).toEqual(
      (['staging', 'live'] as const).flatMap((environment) =>
        hops.map(({ from, to }) => [environment, from, to, 'completed', 0]),
      ),
    );
  });

  test.each(['staging', 'live'] as const)('%s runs the last version on its schema', async (name) => {
    const { schema, nodes } = await stateOf(lab[name]);
    const schemas = SCHEMAS[last];
    const wanted = mapStores(lab[name].target.stores, ({ type }, part) =>
      part === 'default' ? schemas[type].default : schemas[type].visibility,
    );
    expect(schema).toEqual(wanted);
    expect(nodes.map(({ version, running }) => [version, running])).toEqual(nodes.map(() => [last, true]));
  });

  test.each(['staging', 'live'] as const)('every canary of %s is accounted for, and no client call failed', (name) => {
    const ledger = result.ledgers[name];
    expect(ledger).toMatchObject({ running: 0, lost: 0, duplicated: 0, wrong: 0, failed: 0, examples: [] });
    expect(ledger?.started).toBeGreaterThan(2 * LOAD.longRunning);
    expect(ledger?.completed).toBe(ledger?.started);
    expect(ledger?.failedCalls).toBe(0);
  });

  test('each hop found the search attributes as they were before it, and visibility showed every completed canary', () => {
    for (const { phases } of result.hops) {
      const { summary } = phases.find(({ phase }) => phase === 'verify') ?? {};
      expect(summary).toMatch(/\d+ search attributes? in \d+ namespaces? as before/);
      // Servers with standard visibility are not asked (docs/stores.md).
      expect(summary).toContain(versions === OLD ? 'failed calls' : '; 0 not in visibility');
    }
    if (versions === OLD) return;
    for (const name of ['staging', 'live'] as const) expect(result.ledgers[name]).toMatchObject({ unseen: 0 });
  });

  test('each hop has its backups, and its settle was proved', async () => {
    for (const { backups, phases } of result.hops) {
      expect(backups.map(({ store: of }) => of)).toEqual([...partsIn(lab.live.target.stores), 'configuration']);
      for (const { file, bytes } of backups) expect((await stat(file)).size).toBe(bytes);
      expect(phases.find(({ phase }) => phase === 'settle')?.summary).toMatch(/^8 shards, each owned once/);
    }
  });
}
