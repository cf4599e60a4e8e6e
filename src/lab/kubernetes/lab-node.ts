import { KubeApiError, type KubeApi } from './kube-api.js';
import { now } from './container-status.js';

const CAPACITY = { cpu: '32', memory: '64Gi', pods: '250', 'ephemeral-storage': '100Gi' };
/** As a kubelet does. */
const RENEW_MS = 10_000;
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

/** A node of the lab, whose pods run or pretend to. */
export interface LabNode {
  readonly nodeName: string;
  /** Ends what runs on the node. What stands in the API stays as it is. */
  stop(): Promise<void>;
}

/** A node as it stands in the API. */
export interface RegisteredNode {
  readonly name: string;
  readonly hostIp: string;
  /** No longer says that it is alive; it stays in the API. */
  close(): void;
}

/**
 * Registers a node that is ready, with a kubelet at `port` of 127.0.0.1, and keeps saying that it is alive.
 * @throws KubeApiError when the API server refuses
 */
export async function registerNode(api: KubeApi, name: string, port: number): Promise<RegisteredNode> {
  const hostIp = '127.0.0.1';
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
  await unlessThere(api.create('/api/v1/nodes', { metadata: { name, labels } }));
  const time = now();
  await api.patch(`/api/v1/nodes/${name}/status`, {
    status: {
      capacity: CAPACITY,
      allocatable: CAPACITY,
      addresses: [
        { type: 'InternalIP', address: hostIp },
        { type: 'Hostname', address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
      nodeInfo: {
        kubeletVersion: 'lab',
        containerRuntimeVersion: 'lab://1',
        operatingSystem: 'linux',
        architecture: 'amd64',
        bootID: '',
        machineID: '',
        systemUUID: '',
        kernelVersion: '',
        osImage: 'lab',
        kubeProxyVersion: '',
      },
      conditions: [
        { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: time, lastTransitionTime: time },
      ],
    },
  });
  const lease = () => ({
    holderIdentity: name,
    leaseDurationSeconds: 40,
    renewTime: new Date().toISOString().replace('Z', '000Z'),
  });
  await unlessThere(api.create(LEASES, { metadata: { name }, spec: lease() }));
  const timer = setInterval(() => {
    api.patch(`${LEASES}/${name}`, { spec: lease() }).catch(() => undefined); // the API server is away: the next one counts
  }, RENEW_MS);
  return { name, hostIp, close: () => clearInterval(timer) };
}

async function unlessThere(created: Promise<unknown>): Promise<void> {
  await created.catch((error: unknown) => {
    if (!(error instanceof KubeApiError && error.status === 409)) throw error;
  });
}
