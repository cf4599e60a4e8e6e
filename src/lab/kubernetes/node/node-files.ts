import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { NodePrograms } from './node-programs.js';
import type { PodNetwork } from './pod-network.js';
import { PAUSE_IMAGE } from './temporal-images.js';

/** What a node is made of. */
export interface NodePlace {
  /** Folder of its files, closed to others. */
  readonly directory: string;
  readonly nodeName: string;
  readonly kubeconfig: string;
  readonly programs: NodePrograms;
  readonly network: PodNetwork;
  /** Where every image is pulled from, whatever registry it names. */
  readonly registry: string;
  readonly kubeletPort: number;
}

/** Files of a node, by what they are for. */
export function filesOfNode(directory: string) {
  const at = (...parts: readonly string[]) => join(directory, ...parts);
  return {
    containerd: at('containerd.toml'),
    containerdLog: at('containerd.log'),
    socket: at('containerd.sock'),
    kubelet: at('kubelet.yaml'),
    kubeletLog: at('kubelet.log'),
    room: at('room.sh'),
    roomLog: at('room.log'),
  } as const;
}

/** Writes the settings of containerd, its network and its registry, and of the kubelet. */
export async function writeNodeFiles(place: NodePlace): Promise<void> {
  const { directory, network, registry } = place;
  const files = filesOfNode(directory);
  const at = (...parts: readonly string[]) => join(directory, ...parts);
  for (const folder of ['network', 'registries/_default', 'logs', 'kubelet', 'certificates'])
    await mkdir(at(folder), { recursive: true });
  await writeFile(files.containerd, containerdSettings(place));
  // An image names docker.io or none; this host asks nobody outside.
  await writeFile(
    at('registries', '_default', 'hosts.toml'),
    `server = "${registry}"\n[host."${registry}"]\ncapabilities = ["pull", "resolve"]\n`,
  );
  await writeFile(at('network', '10-lab.conflist'), JSON.stringify(networkSettings(network, at('addresses'))));
  await writeFile(files.kubelet, stringify(kubeletSettings(place)), { mode: 0o600 });
}

/** Root may lack the capability to have a process killed later than others (CAP_SYS_RESOURCE), so none is asked for that. */
function containerdSettings({ directory, programs }: NodePlace): string {
  const at = (part: string) => JSON.stringify(join(directory, part));
  return `version = 2
root = ${at('containerd')}
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = ${JSON.stringify(filesOfNode(directory).socket)}
[plugins."io.containerd.internal.v1.opt"]
path = ${at('opt')}
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "docker.io/${PAUSE_IMAGE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = ${JSON.stringify(programs.networkPlugins)}
conf_dir = ${at('network')}
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = ${at('registries')}
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = ${JSON.stringify(programs.runc)}
`;
}

/** Without a gateway, whose plugin would have this host forward what it is sent, and without a rule of a firewall. */
function networkSettings({ name, subnet, firstPod }: PodNetwork, dataDir: string): object {
  const ipam = { type: 'host-local', dataDir, ranges: [[{ subnet, rangeStart: firstPod }]] };
  return { cniVersion: '0.4.0', name: 'lab', plugins: [{ type: 'bridge', bridge: name, ipam }] };
}

/** Kubernetes' own but for what keeps a lab to itself, and what a machine of tests does not have. */
function kubeletSettings({ directory, network, kubeletPort }: NodePlace): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    // Only the API server and the pods reach it.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    address: network.host,
    port: kubeletPort,
    healthzPort: 0,
    containerRuntimeEndpoint: `unix://${filesOfNode(directory).socket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${network.name}`,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    // Rules of a firewall would be those of the host.
    makeIPTablesUtilChains: false,
    podLogsDir: join(directory, 'logs'),
    volumePluginDir: join(directory, 'plugins'),
    // There is no name server; without one that is named, each pod has an event that says so.
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    resolvConf: '',
    // A full disk of the host is no reason to put pods out.
    localStorageCapacityIsolation: false,
    imageGCHighThresholdPercent: 100,
    evictionHard: Object.fromEntries(
      ['nodefs.available', 'nodefs.inodesFree', 'imagefs.available', 'imagefs.inodesFree'].map((name) => [name, '0%']),
    ),
    // Mounted ConfigMaps follow within this time, not within a minute.
    syncFrequency: '10s',
    serializeImagePulls: false,
  };
}
