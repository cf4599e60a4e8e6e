import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { waitUntilOutOfView } from '../../src/activities/out-of-view.js';
import { KeptFrontends } from '../../src/adapters/cluster/kept-frontends.js';
import type { NodeState } from '../../src/core/cluster.js';
import { startRingFrontend, type RingFrontend } from '../helpers/ring-frontend.js';

const [OLD, OTHER] = ['10.0.0.1:7234', '10.0.0.2:7234'];

let ring: RingFrontend;
beforeEach(async () => {
  ring = await startRingFrontend(OLD);
});
afterEach(() => ring.close());

async function wait(withinMs: number, others: readonly NodeState[], onProgress?: (line: string) => void) {
  const history: NodeState = { name: 'history-1', role: 'history', rpcAddress: OLD, running: false };
  const frontend: NodeState = { name: 'frontend-1', role: 'frontend', rpcAddress: ring.address, running: true };
  await using frontends = new KeptFrontends(ring.target.connection);
  // What a driver finds; the rest of it has no part in this.
  const driver = { listNodes: () => Promise.resolve([history, frontend, ...others]) };
  return await waitUntilOutOfView(
    driver,
    { target: ring.target, node: 'history-1', frontends },
    { onProgress },
    withinMs,
  );
}
const other: NodeState = { name: 'history-2', role: 'history', rpcAddress: OTHER, running: true };

test('a view that stays behind is waited for, and no longer than that: its frontend is named', async () => {
  const told: string[] = [];
  expect(await wait(700, [other], (line) => told.push(line))).toEqual([ring.address]);
  expect(ring.asked).toBeGreaterThan(0);
  expect(told[0]).toBe(`history-1 has gone; ${ring.address} still see it`);
});

test('a view that comes up to date is waited for', async () => {
  const told = (): void => {
    ring.seen = OTHER;
  };
  expect(await wait(600_000, [other], told)).toEqual([]);
  expect(ring.asked).toBe(2);
});

test('where nobody else has its role nothing is waited for', async () => {
  expect(await wait(600_000, [{ ...other, running: false }])).toEqual([]);
  expect(ring.asked).toBe(0);
});
