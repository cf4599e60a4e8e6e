import { Connection, type ConnectionOptions, isGrpcServiceError } from '@temporalio/client';
import type { Tls } from '../core/input/input.js';
import { ONE_TRY_CHANNEL } from './channel-args.js';
import { readCertificate } from './tls-files.js';

/** Names that the roles of a Temporal server register with gRPC's health service; the worker role only since 1.31. */
export const HEALTH_SERVICES = {
  frontend: 'temporal.api.workflowservice.v1.WorkflowService',
  'internal-frontend': 'temporal.api.workflowservice.v1.WorkflowService',
  history: 'temporal.api.workflowservice.v1.HistoryService',
  matching: 'temporal.api.workflowservice.v1.MatchingService',
  worker: 'temporal.api.workflowservice.v1.WorkerService',
} as const;

/** `UNKNOWN_SERVICE`: something answers there, but has no service of that name. */
export type Health = 'SERVING' | 'NOT_SERVING' | 'UNKNOWN_SERVICE' | 'UNREACHABLE';

const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;
/** Status of gRPC's health protocol (`grpc.health.v1.HealthCheckResponse.ServingStatus`). */
const SERVING = 1;

/**
 * Asks the gRPC health service at `address` (host:port) for `service`, once, for at most `timeoutMs` milliseconds.
 * A refused connection, a failed TLS handshake or a missing answer is `UNREACHABLE`, not an error.
 * @throws PreconditionError when a certificate file cannot be read
 */
export async function checkHealth(
  address: string,
  service: string,
  tls?: Tls | true,
  timeoutMs = 3_000,
): Promise<Health> {
  const connection = Connection.lazy({
    address,
    tls: tls === undefined ? false : await readTls(tls),
    interceptors: [], // one question, one answer: the caller decides whether to ask again
    channelArgs: ONE_TRY_CHANNEL,
  });
  try {
    return await askHealth(connection, service, timeoutMs);
  } finally {
    await connection.close();
  }
}

/** The same question through a connection that is there already. It may retry, as its interceptors say. */
export async function askHealth(connection: Connection, service: string, timeoutMs: number): Promise<Health> {
  try {
    const { status } = await connection.withDeadline(Date.now() + timeoutMs, () =>
      connection.healthService.check({ service }),
    );
    // The enum arrives as number or as name, depending on the options of the proto loader.
    return [SERVING, 'SERVING'].includes(status) ? 'SERVING' : 'NOT_SERVING';
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error;
    const code: number = error.code;
    return code === NOT_FOUND || code === UNIMPLEMENTED ? 'UNKNOWN_SERVICE' : 'UNREACHABLE';
  }
}

/** Certificates of `tls` as the SDK's connection takes them. @throws PreconditionError naming the unreadable file */
export async function readTls(tls: Tls | true): Promise<NonNullable<ConnectionOptions['tls']>> {
  if (tls === true) return true;
  const [ca, crt, key] = await Promise.all(
    [tls.serverCaFile, tls.clientCertFile, tls.clientKeyFile].map(readCertificate),
  );
  return {
    ...(ca === undefined ? {} : { serverRootCACertificate: ca }),
    ...(crt === undefined || key === undefined ? {} : { clientCertPair: { crt, key } }),
    ...(tls.serverName === undefined ? {} : { serverNameOverride: tls.serverName }),
  };
}
