import { afterEach, expect, test } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultPayloadConverter } from '@temporalio/common';
import proto from '@temporalio/proto';
import { runSimpleWorker } from '../../src/load/simple-worker.js';
import { startGrpcServer, type GrpcMethod, type GrpcServer } from '../helpers/grpc-server.js';

const {
  PollWorkflowTaskQueueResponse,
  PollActivityTaskQueueResponse,
  RespondWorkflowTaskCompletedResponse,
  RespondWorkflowTaskCompletedRequest,
} = proto.temporal.api.workflowservice.v1;

let server: GrpcServer | undefined;
afterEach(() => server?.close());

const noTask = PollWorkflowTaskQueueResponse.encode({}).finish();
const noActivity = PollActivityTaskQueueResponse.encode({}).finish();
const never = () => new Promise<Uint8Array>(() => undefined);

/** A workflow task of canary `number`, whose workflow has just been started. */
function taskOf(number: number): Uint8Array {
  const payload = defaultPayloadConverter.toPayload({ number, kind: 'simple', deadlineMs: 1 }) ?? {};
  return PollWorkflowTaskQueueResponse.encode({
    taskToken: Buffer.from(`task-${number}`),
    workflowExecution: { workflowId: `canary-${number}` },
    history: { events: [{ workflowExecutionStartedEventAttributes: { input: { payloads: [payload] } } }] },
  }).finish();
}

async function work(methods: Readonly<Record<string, GrpcMethod>>) {
  server = await startGrpcServer(methods);
  const stop = new AbortController();
  const problems: string[] = [];
  const ended = runSimpleWorker({
    ...{ namespace: 'n', taskQueue: 'q', identity: 'i', startsPerSecond: 10 },
    reachableBy: { address: server.address },
    stop: stop.signal,
    onProblem: (message) => problems.push(message),
  });
  return { stop, problems, ended };
}

test('thousands of polls and answers leave nothing behind on the signal that lives as long as the load', async () => {
  const seen = { polls: 0, answers: 0 };
  const { stop, ended, problems } = await work({
    PollWorkflowTaskQueue: () => ((seen.polls += 1), seen.polls % 4 === 0 ? taskOf(seen.polls) : noTask),
    PollActivityTaskQueue: () => noActivity,
    RespondWorkflowTaskCompleted: () => {
      seen.answers += 1;
      return RespondWorkflowTaskCompletedResponse.encode({}).finish();
    },
  });
  let most = 0;
  while (seen.polls < 3_000 || seen.answers < 500) {
    most = Math.max(most, getEventListeners(stop.signal, 'abort').length);
    await sleep(10);
  }
  stop.abort();
  await ended;
  expect(problems).toEqual([]);
  // As many as there are polls at once, and what waits between two of them.
  expect(most).toBeLessThan(20);
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
});

test('a task at hand is answered though the load is stopped meanwhile', async () => {
  const answered: string[] = [];
  let given = 0;
  const { stop, ended, problems } = await work({
    PollWorkflowTaskQueue: () => ((given += 1), given === 1 ? taskOf(1) : never()),
    PollActivityTaskQueue: never,
    RespondWorkflowTaskCompleted: async (request) => {
      stop.abort();
      await sleep(200);
      answered.push(Buffer.from(RespondWorkflowTaskCompletedRequest.decode(request).taskToken).toString());
      return RespondWorkflowTaskCompletedResponse.encode({}).finish();
    },
  });
  await ended;
  expect(answered).toEqual(['task-1']);
  expect(problems).toEqual([]);
});

test('a target that is away leaves nothing behind either', async () => {
  const stop = new AbortController();
  const problems: string[] = [];
  const ended = runSimpleWorker({
    ...{ namespace: 'n', taskQueue: 'q', identity: 'i', startsPerSecond: 10 },
    reachableBy: { address: '127.0.0.1:1' },
    stop: stop.signal,
    onProblem: (message) => problems.push(message),
  });
  while (problems.length < 2) await sleep(50);
  stop.abort();
  await ended;
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
});
