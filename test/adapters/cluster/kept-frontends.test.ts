import { afterEach, beforeEach, expect, test } from '@jest/globals';
import proto from '@temporalio/proto';
import { KeptFrontends } from '../../../src/adapters/cluster/kept-frontends.js';
import { describeCluster } from '../../helpers/described-cluster.js';
import { GrpcError, startGrpcServer, type GrpcServer } from '../../helpers/grpc-server.js';

const UNAVAILABLE = 14;
const { GetSystemInfoResponse } = proto.temporal.api.workflowservice.v1;

let server: GrpcServer;
/** Each connection asks for it once, as it is opened. */
let opened: number;
let broken: boolean;
beforeEach(async () => {
  opened = 0;
  broken = false;
  server = await startGrpcServer({
    GetSystemInfo: () => {
      opened += 1;
      return GetSystemInfoResponse.encode({}).finish();
    },
    DescribeCluster: () => {
      if (broken) throw new GrpcError(UNAVAILABLE, 'shutting down');
      return describeCluster('history', '127.0.0.1:7234');
    },
  });
});
afterEach(() => server.close());

test('asks over one connection, also when it is asked twice at once', async () => {
  await using frontends = new KeptFrontends({ address: server.address });
  const ask = () => frontends.rings(server.address);
  const views = [...(await Promise.all([ask(), ask()])), await ask()];
  expect(views).toEqual(views.map(() => ({ history: ['127.0.0.1:7234'] })));
  expect(opened).toBe(1);
});

test('a frontend that fails once is connected to anew', async () => {
  await using frontends = new KeptFrontends({ address: server.address });
  await frontends.rings(server.address);
  broken = true;
  await expect(frontends.rings(server.address)).rejects.toThrow('shutting down');
  broken = false;
  expect(await frontends.rings(server.address)).toEqual({ history: ['127.0.0.1:7234'] });
  expect(opened).toBe(2);
});

test('closes what never opened without a word', async () => {
  const frontends = new KeptFrontends({ address: server.address });
  const { address } = server;
  await server.close();
  server = await startGrpcServer({});
  await expect(frontends.rings(address)).rejects.toThrow(address);
  await frontends[Symbol.asyncDispose]();
});
