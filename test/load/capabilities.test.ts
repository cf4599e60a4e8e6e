import { afterEach, describe, expect, test } from '@jest/globals';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { LoadPolicy } from '../../src/core/input/input.js';
import { cutDown, findCapabilities, type Capabilities } from '../../src/load/capabilities.js';
import { GrpcError, startGrpcServer, type GrpcMethod } from '../helpers/grpc-server.js';

const ALL = { schedules: null, updates: null, searchAttributes: null };

test('a target that can do all does all', () => {
  const policy = LoadPolicy.parse({ mix: 'everything', scheduleEvery: '10s' });
  expect(cutDown(policy, ALL)).toMatchObject({ schedule: true, leftOut: [], mix: { updates: 1, searchAttributes: 1 } });
});

test('what it cannot do is left out, and said with the reason', () => {
  const policy = LoadPolicy.parse({ mix: 'everything', scheduleEvery: '10s' });
  const feasible = cutDown(policy, { schedules: 'none here', updates: 'switched off', searchAttributes: null });
  expect(feasible.schedule).toBe(false);
  expect(feasible.mix).not.toHaveProperty('updates');
  expect(feasible.mix).toHaveProperty('queries');
  expect(feasible.leftOut).toEqual(['updates (switched off)', 'scheduleEvery (none here)']);
});

test('what nobody asked for is not said to be missing', () => {
  const feasible = cutDown(LoadPolicy.parse({}), { schedules: 'a', updates: 'b', searchAttributes: 'c' });
  expect(feasible).toEqual({ mix: { steps: 1 }, schedule: false, leftOut: [] });
});

test('a load of which nothing is left does what every server can, and says so', () => {
  const feasible = cutDown(LoadPolicy.parse({ mix: { updates: 1 } }), { ...ALL, updates: 'off' });
  expect(feasible.mix).toEqual({ steps: 1 });
  expect(feasible.leftOut).toHaveLength(2);
});

describe('what the target answers', () => {
  const { GetSystemInfoResponse, ListWorkflowExecutionsResponse } = proto.temporal.api.workflowservice.v1;
  const { AddSearchAttributesResponse } = proto.temporal.api.operatorservice.v1;
  const [INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED] = [3, 4, 5, 6, 7];
  const [FAILED_PRECONDITION, UNIMPLEMENTED, INTERNAL] = [9, 12, 13];
  const failing =
    (code: number, message = 'no') =>
    () => {
      throw new GrpcError(code, message);
    };
  const able: Readonly<Record<string, GrpcMethod>> = {
    GetSystemInfo: () => GetSystemInfoResponse.encode({ capabilities: { supportsSchedules: true } }).finish(),
    UpdateWorkflowExecution: failing(NOT_FOUND),
    AddSearchAttributes: () => AddSearchAttributesResponse.encode({}).finish(),
    ListWorkflowExecutions: () => ListWorkflowExecutionsResponse.encode({}).finish(),
  };
  const policy = LoadPolicy.parse({ mix: { updates: 1, searchAttributes: 1 }, namespace: 'n' });
  let close = () => Promise.resolve();
  afterEach(() => close());

  async function find(methods: Readonly<Record<string, GrpcMethod>>): Promise<Capabilities> {
    const server = await startGrpcServer({ ...able, ...methods });
    const connection = Connection.lazy({ address: server.address, interceptors: [] });
    close = async () => {
      await connection.close();
      await server.close();
    };
    return findCapabilities(connection, policy, { usableWithinMs: 100 });
  }

  test('all of it', async () => {
    expect(await find({})).toEqual({ schedules: null, updates: null, searchAttributes: null });
  });

  test.each([PERMISSION_DENIED, FAILED_PRECONDITION, UNIMPLEMENTED])('code %i refuses updates', async (code) => {
    const { updates } = await find({ UpdateWorkflowExecution: failing(code, 'switched off') });
    expect(updates).toContain('switched off');
  });

  test.each([DEADLINE_EXCEEDED, INTERNAL])('code %i says nothing of updates: it is asked again', async (code) => {
    await expect(find({ UpdateWorkflowExecution: failing(code, 'a bad moment') })).rejects.toThrow('a bad moment');
  });

  test('an attribute that is there already is usable, and so is one that may not be registered and is there', async () => {
    expect(await find({ AddSearchAttributes: failing(ALREADY_EXISTS) })).toMatchObject({ searchAttributes: null });
    await close();
    expect(await find({ AddSearchAttributes: failing(PERMISSION_DENIED) })).toMatchObject({ searchAttributes: null });
  });

  test('an attribute that cannot be registered, or that visibility does not come to know, is left out', async () => {
    const ListWorkflowExecutions = failing(INVALID_ARGUMENT, 'no such column');
    const refused = await find({ AddSearchAttributes: failing(INVALID_ARGUMENT, 'too many'), ListWorkflowExecutions });
    expect(refused.searchAttributes).toContain('too many');
    await close();
    expect((await find({ ListWorkflowExecutions })).searchAttributes).toContain('visibility does not know');
  });

  test('visibility that is away says nothing of the attribute: it is asked again', async () => {
    await expect(find({ ListWorkflowExecutions: failing(INTERNAL, 'a bad moment') })).rejects.toThrow('a bad moment');
    await close();
    await expect(
      find({
        AddSearchAttributes: failing(INTERNAL, 'a bad moment'),
        ListWorkflowExecutions: failing(INVALID_ARGUMENT),
      }),
    ).rejects.toThrow('a bad moment');
  });
});
