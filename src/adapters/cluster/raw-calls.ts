import { Connection } from '@temporalio/client';
import { messageOf } from '../../core/errors.js';
import type { Connection as ConnectionInput } from '../../core/input/input.js';
import { ONE_TRY_CHANNEL } from '../channel-args.js';
import { connectionOptions } from '../connection-options.js';
import { grpcCodeOf } from './target-connection.js';

const TIMEOUT_MS = 5_000;
const NOT_FOUND = 5;

/**
 * Makes `count` calls one after the other over the path that clients use, none of them tried again. Each asks for a workflow
 * that nobody has: that there is none is said by the history process of its shard, from the database. Changes nothing.
 * @returns why a call failed; undefined when all were answered
 */
export async function callInARow(input: ConnectionInput, count: number): Promise<string | undefined> {
  const connection = Connection.lazy({
    ...(await connectionOptions(input)),
    interceptors: [],
    channelArgs: ONE_TRY_CHANNEL, // its own: as a client has that connects now
  });
  try {
    for (let index = 1; index <= count; index += 1) {
      const failure = await askForNobody(connection, `temporal-upgrade-nobody-${index}`);
      if (failure !== undefined) return `call ${index} of ${count} over the clients’ path failed: ${failure}`;
    }
    return undefined;
  } finally {
    await connection.close();
  }
}

async function askForNobody(connection: Connection, workflowId: string): Promise<string | undefined> {
  try {
    await connection.withDeadline(Date.now() + TIMEOUT_MS, () =>
      // A namespace that every cluster has.
      connection.workflowService.describeWorkflowExecution({ namespace: 'temporal-system', execution: { workflowId } }),
    );
    return undefined;
  } catch (error) {
    // "No such namespace" has the same code, and is said by the frontend alone.
    return grpcCodeOf(error) === NOT_FOUND && !/namespace/i.test(messageOf(error)) ? undefined : messageOf(error);
  }
}
