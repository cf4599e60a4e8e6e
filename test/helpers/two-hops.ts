import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import type { LabStore } from '../../src/lab/start-database.js';
import { FROM, SHORT_POLICY, startTestLab, startWorkflow, stateOf } from './rollout-lab.js';

/** The second changes the schemas of both stores. */
const HOPS = [
  { from: FROM, to: '1.30.7', schema: { default: '1.18', visibility: '1.13' } },
  { from: '1.30.7', to: '1.31.2', schema: { default: '1.19', visibility: '1.14' } },
] as const;
const LOAD = { startsPerSecond: 2, longRunning: 3, probesPerSecond: 5 };

/** Tests of a whole roll-out of two hops, on staging and on live, both under load, on clusters that stand on `store`. */
export function testTwoHops(store: LabStore): void {
  let lab: Awaited<ReturnType<typeof startTestLab>>;
  let result: RolloutResult;

  beforeAll(async () => {
    lab = await startTestLab({ store });
    await lab.startWorker();
    const policy = { ...SHORT_POLICY, load: { staging: LOAD, live: LOAD } };
    const pins = { '1.29': FROM, '1.30': HOPS[0].to, '1.31': HOPS[1].to };
    const workflowId = await startWorkflow(lab, lab.input('1.31', { pins, policy }));
    result = (await lab.client.workflow.getHandle(workflowId).result()) as RolloutResult;
  }, 1_800_000);

  afterAll(() => lab?.remove(), 120_000);

  test('both clusters went both hops without an incident, and nobody decided anything', () => {
    expect(result).toMatchObject({ status: 'completed', decisions: [], live: { from: FROM, to: HOPS[1].to } });
    expect(
      result.hops.map(({ environment, from, to, outcome, incidents }) => [environment, from, to, outcome, incidents]),
    ).toEqual(
      (['staging', 'live'] as const).flatMap((environment) =>
        HOPS.map(({ from, to }) => [environment, from, to, 'completed', 0]),
      ),
    );
  });

  test.each(['staging', 'live'] as const)('%s runs the last version on its schema', async (name) => {
    const { schema, nodes } = await stateOf(lab[name]);
    expect(schema).toEqual(HOPS[1].schema);
    expect(nodes.map(({ version, running }) => [version, running])).toEqual(nodes.map(() => [HOPS[1].to, true]));
  });

  test.each(['staging', 'live'] as const)('every canary of %s is accounted for, and no client call failed', (name) => {
    const ledger = result.ledgers[name];
    expect(ledger).toMatchObject({ running: 0, lost: 0, duplicated: 0, wrong: 0, failed: 0, examples: [] });
    expect(ledger?.started).toBeGreaterThan(2 * LOAD.longRunning);
    expect(ledger?.completed).toBe(ledger?.started);
    expect(ledger?.failedCalls).toBe(0);
  });

  test('each hop has its backups, and its settle was proved', async () => {
    for (const { backups, phases } of result.hops) {
      expect(backups.map(({ store: of }) => of)).toEqual(['default', 'visibility', 'configuration']);
      for (const { file, bytes } of backups) expect((await stat(file)).size).toBe(bytes);
      expect(phases.find(({ phase }) => phase === 'settle')?.summary).toMatch(/^8 shards, each owned once/);
    }
  });
}
