import { setTimeout as sleep } from 'node:timers/promises';
import { checkHealth, HEALTH_SERVICES } from '../../adapters/grpc-health.js';
import type { LabKubernetes } from './api-server.js';

/** Those whose servers have a health service in every version. */
const PORTS = { frontend: 7233, history: 7234, matching: 7235 } as const;
const POLL_MS = 250;

/**
 * Waits until every frontend, history and matching pod of `namespace` says by gRPC that it serves; readiness says less.
 * @throws Error that names one that does not at `end` (milliseconds since the epoch)
 */
export async function waitUntilPodsServe(kubernetes: LabKubernetes, namespace: string, end: number): Promise<void> {
  for (const role of ['frontend', 'history', 'matching'] as const) {
    const labels = `--selector=app.kubernetes.io/component=${role}`;
    const path = '--output=jsonpath={.items[*].status.podIP}';
    const addresses = (await kubernetes.kubectl('get', 'pods', '--namespace', namespace, labels, path)).split(' ');
    await Promise.all(addresses.map((address) => waitForOne(`${address}:${PORTS[role]}`, role, end)));
  }
}

async function waitForOne(address: string, role: keyof typeof PORTS, end: number): Promise<void> {
  for (;;) {
    const health = await checkHealth(address, HEALTH_SERVICES[role]);
    if (health === 'SERVING') return;
    if (Date.now() > end) throw new Error(`the ${role} pod at ${address} is ${health}, not SERVING`);
    await sleep(POLL_MS);
  }
}
