import { afterEach, beforeEach, expect, test } from '@jest/globals';
import proto from '@temporalio/proto';
import { waitUntilOutOfView } from '../../src/activities/out-of-view.js';
import { KeptFrontends } from '../../src/adapters/cluster/kept-frontends.js';
import type { NodeState } from '../../src/core/cluster.js';
import { parseRolloutInput, type Target } from '../../src/core/input/input.js';
import { listedNodes } from '../../src/core/input/listed-nodes.js';
import { describeCluster } from '../helpers/described-cluster.js';
import { startGrpcServer, type GrpcServer } from '../helpers/grpc-server.js';
import { rolloutText } from '../helpers/rollout-input.js';

const { GetSystemInfoResponse } = proto.temporal.api.workflowservice.v1;
const [OLD, OTHER] = ['10.0.0.1:7234', '10.0.0.2:7234'];

let server: GrpcServer;
let target: Target;
/** Who is in the ring of history, as the frontend sees it; how often it was asked. */
let seen: string;
let asked: number;
beforeEach(async () => {
  [seen, asked] = [OLD, 0];
  server = await startGrpcServer({
    GetSystemInfo: () => GetSystemInfoResponse.encode({}).finish(),
    DescribeCluster: () => {
      asked += 1;
      return describeCluster('history', seen);
    },
  });
  const { live } = parseRolloutInput(rolloutText());
  const nodes = (listedNodes(live) ?? []).map((node) =>
    node.role === 'frontend' ? { ...node, rpcAddress: server.address } : node,
  );
  // The address alone differs, which the driver's own kind says nothing of.
  target = { ...live, connection: { address: server.address }, driver: { ...live.driver, nodes } as Target['driver'] };
});
afterEach(() => server.close());

async function wait(withinMs: number, others: readonly NodeState[], onProgress?: (line: string) => void) {
  const history: NodeState = { name: 'history-1', role: 'history', rpcAddress: OLD, running: false };
  const frontend: NodeState = { name: 'frontend-1', role: 'frontend', rpcAddress: server.address, running: true };
  await using frontends = new KeptFrontends(target.connection);
  // What a driver finds; the rest of it has no part in this.
  const driver = { listNodes: () => Promise.resolve([history, frontend, ...others]) };
  return await waitUntilOutOfView(driver, { target, node: 'history-1', frontends }, { onProgress }, withinMs);
}
const other: NodeState = { name: 'history-2', role: 'history', rpcAddress: OTHER, running: true };

test('a view that stays behind is waited for, and no longer than that: its frontend is named', async () => {
  const told: string[] = [];
  expect(await wait(700, [other], (line) => told.push(line))).toEqual([server.address]);
  expect(asked).toBeGreaterThan(0);
  expect(told[0]).toBe(`history-1 has gone; ${server.address} still see it`);
});

test('a view that comes up to date is waited for', async () => {
  const told = (): void => {
    seen = OTHER;
  };
  expect(await wait(600_000, [other], told)).toEqual([]);
  expect(asked).toBe(2);
});

test('where nobody else has its role nothing is waited for', async () => {
  expect(await wait(600_000, [{ ...other, running: false }])).toEqual([]);
  expect(asked).toBe(0);
});
