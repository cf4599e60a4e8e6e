import type { NodeState } from '../../core/cluster.js';
import type { Role, Target } from '../../core/input/input.js';
import { compareVersions, minorOf } from '../../core/version.js';
import { checkHealth, HEALTH_SERVICES, type Health } from '../grpc-health.js';

/** First minor whose worker role answers gRPC health checks. */
const WORKER_HEALTH_SINCE = '1.31';

/**
 * What the gRPC health service of a node says under the name of its role; undefined where its role has none at its version.
 * @throws PreconditionError when a certificate file cannot be read
 */
export async function askNodeHealth(
  target: Target,
  { role, version, rpcAddress }: Pick<NodeState, 'role' | 'version' | 'rpcAddress'>,
  timeoutMs?: number,
): Promise<Health | undefined> {
  if (!hasHealthService(role, version)) return undefined;
  const frontendTls = 'address' in target.connection ? target.connection.tls : undefined;
  const tls = role === 'frontend' ? frontendTls : target.driver.internodeTls;
  return checkHealth(rpcAddress, HEALTH_SERVICES[role], tls, timeoutMs);
}

/** Whether processes of this role answer gRPC health checks at this version. */
export function hasHealthService(role: Role, version: string | undefined): boolean {
  return role !== 'worker' || hasWorkerHealth(version);
}

function hasWorkerHealth(version: string | undefined): boolean {
  return version !== undefined && compareVersions(minorOf(version), WORKER_HEALTH_SINCE) >= 0;
}
