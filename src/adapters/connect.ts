import { Connection } from '@temporalio/client';
import type { Connection as ConnectionInput } from '../core/input/input.js';
import { connectionOptions } from './connection-options.js';

/**
 * Waits until a connection that was made lazily is there, and closes it when it does not come: `Connection.connect` (SDK 1.24)
 * leaves it, and its channel goes on trying for ever.
 * @throws what `ensureConnected` does
 */
export async function connectOrClose<C extends Connection>(connection: C): Promise<C> {
  try {
    await connection.ensureConnected();
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Connects to the frontend that the input names; whoever calls this closes it. @throws when it cannot be reached or used */
export async function connectTo(input: ConnectionInput): Promise<Connection> {
  return connectOrClose(Connection.lazy(await connectionOptions(input)));
}
