import type { NodeState } from '../../core/cluster.js';
import type { Role, Tls } from '../../core/input/input.js';
import { compareVersions, minorOf } from '../../core/version.js';
import { checkHealth, HEALTH_SERVICES } from '../grpc-health.js';

/** First minor whose worker role answers gRPC health checks. */
const WORKER_HEALTH_SINCE = '1.31';

export interface NodeHealth {
  readonly serving: boolean;
  /** What was asked and answered, for people. */
  readonly evidence: string;
}

export interface HealthEvidence {
  /** Between roles, or for a frontend, those of the connection. */
  readonly tls?: Tls | true | undefined;
  /** Addresses of the members of the node's role, as a frontend sees the ring. */
  readonly ring: readonly string[];
}

/**
 * Whether a node serves: its process runs, its gRPC health service says SERVING, and it is a member of its ring. Workers
 * before 1.31 have no health service; for them process and ring are all there is.
 */
export async function nodeHealth(node: NodeState, { tls, ring }: HealthEvidence): Promise<NodeHealth> {
  if (!node.running) return { serving: false, evidence: `${node.name}: no process runs` };
  if (!ring.includes(node.rpcAddress)) {
    return { serving: false, evidence: `${node.name}: ${node.rpcAddress} is not in the ring of ${node.role}` };
  }
  if (!hasHealthService(node.role, node.version)) {
    return { serving: true, evidence: `${node.name}: process runs, in the ring (no health service before 1.31)` };
  }
  const health = await checkHealth(node.rpcAddress, HEALTH_SERVICES[node.role], tls);
  return { serving: health === 'SERVING', evidence: `${node.name}: ${health}, in the ring` };
}

/** Whether processes of this role answer gRPC health checks at this version. */
export function hasHealthService(role: Role, version: string | undefined): boolean {
  return role !== 'worker' || hasWorkerHealth(version);
}

function hasWorkerHealth(version: string | undefined): boolean {
  return version !== undefined && compareVersions(minorOf(version), WORKER_HEALTH_SINCE) >= 0;
}
