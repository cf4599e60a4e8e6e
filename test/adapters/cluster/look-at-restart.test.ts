import { afterEach, beforeEach, expect, test } from '@jest/globals';
import proto from '@temporalio/proto';
import { KeptFrontends } from '../../../src/adapters/cluster/kept-frontends.js';
import { lookAtRestart } from '../../../src/adapters/cluster/look-at-restart.js';
import type { NodeState } from '../../../src/core/cluster.js';
import { parseRolloutInput, type Target } from '../../../src/core/input/input.js';
import { listedNodes } from '../../../src/core/input/listed-nodes.js';
import { describeCluster } from '../../helpers/described-cluster.js';
import { GrpcError, startGrpcServer, type GrpcServer } from '../../helpers/grpc-server.js';
import { rolloutText } from '../../helpers/rollout-input.js';

/** Refused at once, where another failure would be tried again for a while. */
const PERMISSION_DENIED = 7;
const { GetSystemInfoResponse } = proto.temporal.api.workflowservice.v1;

let server: GrpcServer;
let target: Target;
/** GetSystemInfo is asked once as a connection is opened, and once more for the version. */
let asked: number;
let version: string;
let broken: boolean;
beforeEach(async () => {
  asked = 0;
  broken = false;
  version = '1.31.2';
  // A stand-in: how often it is asked is what is tested.
  server = await startGrpcServer({
    GetSystemInfo: () => {
      asked += 1;
      if (broken) throw new GrpcError(PERMISSION_DENIED, 'not now');
      return GetSystemInfoResponse.encode({ serverVersion: version }).finish();
    },
    DescribeCluster: () => describeCluster('frontend', server.address),
  });
  const { live } = parseRolloutInput(rolloutText());
  const nodes = (listedNodes(live) ?? []).map((node) =>
    node.role === 'frontend' ? { ...node, rpcAddress: server.address } : node,
  );
  // The address alone differs, which the driver's own kind says nothing of.
  const driver = { ...live.driver, nodes } as Target['driver'];
  target = { ...live, connection: { address: server.address }, driver };
});
afterEach(() => server.close());

/** The only process of the target, as its driver finds it. */
const frontend = (instance: string): NodeState => ({
  ...{ name: 'frontend-1', role: 'frontend', rpcAddress: server.address },
  ...{ running: true, version: '1.31.2', instance },
});

test('a run that has named its version is not asked for it again, and all looks share a connection', async () => {
  await using frontends = new KeptFrontends(target.connection);
  const earlier = { words: new Map(), frontends };
  const look = async (instance: string) => lookAtRestart(target, [frontend(instance)], 'frontend-1', earlier);
  const seen = {
    named: [{ by: 'GetSystemInfo', version: '1.31.2' }],
    views: [{ frontend: server.address, rings: { frontend: [server.address] } }],
  };
  expect(await look('20:2')).toMatchObject(seen);
  expect(asked).toBe(2);
  expect(await look('20:2')).toMatchObject(seen);
  expect(asked).toBe(2);

  // Another process at the same address may be another version.
  version = '1.30.7';
  expect((await look('31:3')).named).toEqual([{ by: 'GetSystemInfo', version: '1.30.7' }]);
  expect(asked).toBe(3);
});

test('one that did not answer is asked again', async () => {
  await using frontends = new KeptFrontends(target.connection);
  const earlier = { words: new Map(), frontends };
  const look = () => lookAtRestart(target, [frontend('20:2')], 'frontend-1', earlier);
  broken = true;
  expect((await look()).named).toEqual([]);
  broken = false;
  expect((await look()).named).toEqual([{ by: 'GetSystemInfo', version: '1.31.2' }]);
});
