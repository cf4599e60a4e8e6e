import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import proto from '@temporalio/proto';
import { readQueue } from '../../../src/adapters/cluster/read-queue.js';
import { compareRunning } from '../../../src/adapters/cluster/running-workflows.js';
import { connectTarget, type TargetConnection } from '../../../src/adapters/cluster/target-connection.js';
import { GrpcError, startGrpcServer, type GrpcMethod, type GrpcServer } from '../../helpers/grpc-server.js';

const { workflowservice, enums } = proto.temporal.api;
const { GetSystemInfoResponse, ListTaskQueuePartitionsResponse, DescribeTaskQueueRequest, DescribeTaskQueueResponse } =
  workflowservice.v1;
const { DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse } = workflowservice.v1;
const [NOT_FOUND, INTERNAL] = [5, 13];

let server: GrpcServer;
let target: TargetConnection;
let methods: Record<string, GrpcMethod>;
beforeEach(async () => {
  methods = { GetSystemInfo: () => GetSystemInfoResponse.encode({}).finish() };
  server = await startGrpcServer(methods);
  target = await connectTarget({ address: server.address });
});
afterEach(async () => {
  await target.close();
  await server.close();
});

test('closing waits for what is under way, and nothing is asked after it began', async () => {
  let answered = 0;
  methods['GetSystemInfo'] = async () => {
    await sleep(200);
    answered += 1;
    return GetSystemInfoResponse.encode({}).finish();
  };
  const ask = () => target.ask('asking', () => target.grpc.workflowService.getSystemInfo({}));
  const asking = ask().then(ask);
  const refused = expect(asking).rejects.toThrow('asking: the connection to');
  await target.close();
  expect(answered).toBe(1);
  await refused;
});

test('what is asked of the partitions of a task queue has all ended when one of them fails', async () => {
  const partitions = ['slow', 'bad'].map((key) => ({ key }));
  methods['ListTaskQueuePartitions'] = () =>
    ListTaskQueuePartitionsResponse.encode({ workflowTaskQueuePartitions: partitions }).finish();
  const ended: string[] = [];
  methods['DescribeTaskQueue'] = async (request) => {
    const name = DescribeTaskQueueRequest.decode(request).taskQueue?.name ?? '';
    if (name === 'bad') throw new GrpcError(NOT_FOUND, 'no such partition');
    await sleep(300);
    ended.push(name);
    return DescribeTaskQueueResponse.encode({}).finish();
  };
  const reading = readQueue(target, 'n', { kind: 'workflow', name: 'queue' });
  await expect(reading).rejects.toThrow('no such partition');
  expect(ended.toSorted()).toEqual(['queue', 'slow']);
});

describe('a recorded run that continued as new', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'running-'));
    file = join(folder, 'running.jsonl');
    const namespaces = [{ name: 'n', running: 1, recorded: 1, retentionSeconds: 86_400 }];
    const lines = [
      { takenAt: new Date().toISOString(), namespaces },
      { namespace: 'n', workflowId: 'w', runId: 'recorded' },
    ];
    await writeFile(file, lines.map((line) => JSON.stringify(line)).join('\n'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const {
    WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW,
    WORKFLOW_EXECUTION_STATUS_COMPLETED,
    WORKFLOW_EXECUTION_STATUS_FAILED,
  } = enums.v1.WorkflowExecutionStatus;

  /** Its newest run is asked for without a run id. */
  function answer(newest: () => Uint8Array): void {
    methods['DescribeWorkflowExecution'] = (request) => {
      const runId = DescribeWorkflowExecutionRequest.decode(request).execution?.runId ?? '';
      if (runId === '') return newest();
      return describe_(runId, WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW);
    };
  }

  const describe_ = (runId: string, status: proto.temporal.api.enums.v1.WorkflowExecutionStatus) =>
    DescribeWorkflowExecutionResponse.encode({
      workflowExecutionInfo: { execution: { workflowId: 'w', runId }, status },
    }).finish();

  test('is well when its newest successor is', async () => {
    answer(() => describe_('newest', WORKFLOW_EXECUTION_STATUS_COMPLETED));
    expect(await compareRunning(target, file)).toMatchObject({ counts: { continuedAsNew: 1 }, examples: [] });
  });

  test('is missing when what it handed on is not there', async () => {
    answer(() => {
      throw new GrpcError(NOT_FOUND, 'workflow not found');
    });
    const { counts, examples } = await compareRunning(target, file);
    expect(counts).toEqual({ missing: 1 });
    expect(examples).toEqual([{ namespace: 'n', workflowId: 'w', runId: 'recorded', fate: 'missing' }]);
  });

  test('has failed when what it handed on has', async () => {
    answer(() => describe_('newest', WORKFLOW_EXECUTION_STATUS_FAILED));
    expect((await compareRunning(target, file)).counts).toEqual({ failed: 1 });
  });

  test('is not known when its successor cannot be asked for', async () => {
    answer(() => {
      throw new GrpcError(INTERNAL, 'a bad moment');
    });
    await expect(compareRunning(target, file)).rejects.toThrow('a bad moment');
  });
});
