import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { countRunningByType } from '../../../src/adapters/cluster/count-by-type.js';
import { countSince } from '../../../src/adapters/cluster/count-since.js';
import { countMatching, countRunning } from '../../../src/adapters/cluster/target-cluster.js';
import { connectTarget, type TargetConnection } from '../../../src/adapters/cluster/target-connection.js';
import { GrpcError, startGrpcServer, type GrpcServer } from '../../helpers/grpc-server.js';

const { workflowservice } = proto.temporal.api;
const { GetSystemInfoResponse, ListNamespacesResponse } = workflowservice.v1;
const { ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse } = workflowservice.v1;
const INVALID_ARGUMENT = 3;

/** Seconds since 1970 of what is started and, where it has, closed. */
interface Run {
  readonly type: string;
  readonly started: number;
  readonly closed?: number;
}

const AT = 1_700_000_000;
const RUNS: readonly Run[] = [
  { type: 'a', started: AT - 10 },
  { type: 'a', started: AT - 10 },
  { type: 'b', started: AT + 10 },
  { type: 'b', started: AT - 10, closed: AT - 5 },
  { type: 'b', started: AT - 10, closed: AT + 5 },
  { type: 'c', started: AT + 5, closed: AT + 10 },
];
const EACH_PAGE = 2;

let server: GrpcServer;
let target: TargetConnection;
let refusal: string;

/** A stand-in: servers that refuse to count are those of 1.20 to 1.23, which the long tests on old plugins start. */
beforeEach(async () => {
  refusal = 'Operation not supported. Please use on Elasticsearch';
  server = await startGrpcServer({
    GetSystemInfo: () => GetSystemInfoResponse.encode({}).finish(),
    ListNamespaces: () => ListNamespacesResponse.encode({ namespaces: [{ namespaceInfo: { name: 'n' } }] }).finish(),
    CountWorkflowExecutions: () => {
      throw new GrpcError(INVALID_ARGUMENT, refusal);
    },
    ListWorkflowExecutions: (request) => {
      const { query, nextPageToken } = ListWorkflowExecutionsRequest.decode(request);
      const asked = query === '' ? RUNS : RUNS.filter(({ closed }) => closed === undefined);
      const from = nextPageToken[0] ?? 0;
      const executions = asked.slice(from, from + EACH_PAGE).map(({ type, started, closed }, index) => ({
        execution: { workflowId: `w${from + index}`, runId: 'r' },
        type: { name: type },
        startTime: msToTs(started * 1_000),
        ...(closed === undefined ? {} : { closeTime: msToTs(closed * 1_000) }),
      }));
      const more = from + EACH_PAGE < asked.length ? { nextPageToken: Uint8Array.of(from + EACH_PAGE) } : {};
      return ListWorkflowExecutionsResponse.encode({ executions, ...more }).finish();
    },
  });
  target = await connectTarget({ address: server.address });
});
afterEach(async () => {
  await target.close();
  await server.close();
});

test('running workflows are listed where visibility does not count', async () => {
  expect(await countRunning(target, 'n')).toBe(3);
  expect(await countRunningByType(target, 'n')).toEqual({ running: 3, types: { a: 2, b: 1 } });
});

test('what a restore would lose is told from all that visibility keeps', async () => {
  const at = new Date(AT * 1_000).toISOString();
  expect(await countSince(target, at)).toEqual([{ namespace: 'n', started: 2, closed: 1, running: 2 }]);
});

test('another refusal of a count is one', async () => {
  refusal = 'invalid query';
  await expect(countRunning(target, 'n')).rejects.toThrow('invalid query');
  await expect(countMatching(target, 'n', 'X = 1')).rejects.toThrow('invalid query');
});
