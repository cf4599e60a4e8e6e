import { Client, isGrpcServiceError } from '@temporalio/client';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { Connection } from '../../core/input/input.js';
import { OWN_CHANNEL } from '../channel-args.js';
import { connectionOptions } from '../connection-options.js';
import { AdminConnection } from './admin-connection.js';
import { diagnoseConnection } from './diagnose-connection.js';

const CONNECT_TIMEOUT_MS = 5_000;
const CALL_TIMEOUT_MS = 20_000;
/** gRPC status codes. */
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

/** A connection to one frontend of a target. Whoever made it closes it. */
export interface TargetConnection {
  /** host:port that was connected to. */
  readonly address: string;
  readonly grpc: AdminConnection;
  client(namespace: string): Client;
  /**
   * Runs calls with a deadline for all of them together, in milliseconds; it ends when all of them have ended.
   * @throws PreconditionError when the target does not let these credentials do it; Error when the connection is being closed
   */
  ask<T>(what: string, calls: () => Promise<T>, timeoutMs?: number): Promise<T>;
  close(): Promise<void>;
}

/**
 * Connects to the frontend that the input names, or with its credentials to another one.
 * @throws PreconditionError: profile, certificates, address, TLS, rights
 */
export async function connectTarget(connection: Connection, otherAddress?: string): Promise<TargetConnection> {
  const reachableBy = await connectionOptions(connection);
  const address = otherAddress ?? reachableBy.address;
  const options = {
    ...reachableBy,
    address,
    connectTimeout: CONNECT_TIMEOUT_MS,
    channelArgs: OWN_CHANNEL,
  };
  let grpc: AdminConnection;
  try {
    grpc = await AdminConnection.connect(options);
  } catch (cause) {
    const refusal = asRefusal(cause, { address, what: 'connecting' });
    if (refusal !== undefined) throw refusal;
    const reason = (await diagnoseConnection(address, reachableBy.tls)) ?? messageOf(cause);
    throw new PreconditionError(`the frontend at ${address} cannot be used: ${reason}`, { address }, { cause });
  }
  const asked = new Set<Promise<unknown>>();
  let closing = false;
  return {
    address,
    grpc,
    client: (namespace) => new Client({ connection: grpc, namespace }),
    ask: async (what, calls, timeoutMs = CALL_TIMEOUT_MS) => {
      if (closing) throw new Error(`${what}: the connection to ${address} is being closed`);
      const answer = grpc.withDeadline(Date.now() + timeoutMs, calls);
      asked.add(answer);
      try {
        return await answer;
      } catch (error) {
        throw asRefusal(error, { address, what }) ?? error;
      } finally {
        asked.delete(answer);
      }
    },
    close: async () => {
      // A call that waits for its next try on a closed connection throws where nobody can catch it, and ends the process (SDK
      // 1.24, grpc-retry). So those that nobody waits for any more are given until their deadline.
      closing = true;
      while (asked.size > 0) await Promise.allSettled(asked);
      await grpc.close();
    },
  };
}

/** Opens a connection for `work` and closes it whatever happens. `address` is another frontend than the input's. */
export async function withTarget<T>(
  connection: Connection,
  work: (target: TargetConnection) => Promise<T>,
  address?: string,
): Promise<T> {
  const target = await connectTarget(connection, address);
  try {
    return await work(target);
  } finally {
    await target.close();
  }
}

/** The gRPC status code of an error or of what caused it; undefined when it has none. */
export function grpcCodeOf(error: unknown): number | undefined {
  if (isGrpcServiceError(error)) return error.code;
  return error instanceof Error && error.cause !== undefined ? grpcCodeOf(error.cause) : undefined;
}

/** Whether a call failed with this gRPC status code. */
export function hasCode(error: unknown, code: number): boolean {
  return grpcCodeOf(error) === code;
}

function asRefusal(
  error: unknown,
  { address, what }: { readonly address: string; readonly what: string },
): PreconditionError | undefined {
  const code = grpcCodeOf(error);
  if (code !== PERMISSION_DENIED && code !== UNAUTHENTICATED) return undefined;
  const [found, remedy] =
    code === UNAUTHENTICATED
      ? ['does not accept the credentials', 'correct "apiKey" or the client certificate of the connection']
      : ['does not permit it to these credentials', 'give them the rights of an administrator of the cluster'];
  return new PreconditionError(
    `${what}: the frontend at ${address} ${found}; ${remedy}`,
    { address, code },
    { cause: error },
  );
}
