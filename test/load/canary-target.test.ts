import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { CanaryTarget } from '../../src/load/canary-target.js';
import { GrpcError, startGrpcServer, type GrpcServer } from '../helpers/grpc-server.js';

const NOT_FOUND = 5;
const gone = () => {
  throw new GrpcError(NOT_FOUND, 'workflow not found for ID: w');
};

let server: GrpcServer;
let connection: Connection;
let target: CanaryTarget;
beforeEach(async () => {
  server = await startGrpcServer({ QueryWorkflow: gone, SignalWorkflowExecution: gone, UpdateWorkflowExecution: gone });
  connection = Connection.lazy({ address: server.address });
  target = new CanaryTarget(connection, 'a');
});
afterEach(async () => {
  await connection.close();
  await server.close();
});

const canary = { workflowId: 'w', number: 1, command: { namespace: 'n', taskQueue: 'q' } } as const;

test('a query of a canary that must be there and is not is a wrong answer', async () => {
  const { taken, wrongAnswer } = await target.call({ ...canary, kind: 'queries' }, 0);
  expect(taken).toBe(false);
  expect(wrongAnswer).toMatch(/^query c-1-q-0 was answered with .*workflow not found/);
});

test('a signal or an update that comes too late is not: its history tells what became of it', async () => {
  const late = { taken: false, wrongAnswer: null };
  expect(await target.call({ ...canary, kind: 'queries' }, 1)).toEqual(late);
  expect(await target.call({ ...canary, kind: 'updates' }, 0)).toEqual(late);
});
