import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ToolResolver } from '../../../adapters/tools/tools.js';
import { findFreePort } from '../../free-ports.js';
import type { LabKubernetes } from '../api-server.js';
import { KubeApi } from '../kube-api.js';
import type { LabNode } from '../lab-node.js';
import { makeCgroups, removeCgroups } from './cgroups.js';
import { filesOfNode, writeNodeFiles } from './node-files.js';
import { findNodePrograms } from './node-programs.js';
import type { PodNetwork } from './pod-network.js';
import { startRegistry } from './registry.js';
import { startRoom } from './room.js';
import { makeTemporalImages } from './temporal-images.js';

export interface RealNodeOptions {
  readonly kubernetes: Pick<LabKubernetes, 'access' | 'directory' | 'kubeconfig'>;
  readonly network: PodNetwork;
  /** Versions of temporalio/server and temporalio/admin-tools that can be pulled; no other image is found. */
  readonly versions: readonly string[];
  readonly tools: ToolResolver;
}

/** On a machine that does much else. */
const READY_WITHIN_MS = 180_000;
const NODE_NAME = 'lab-1';

/**
 * Starts a real node: kubelet, containerd, runc, and images with the programs of real servers, pulled from a registry of the lab. Not there:
 * addresses of Services (kube-proxy), names of them (DNS), and a way out of the pods' network. Stopped, it ends all its pods at once; what
 * stands in the API stays as it is. Takes root, as the network does, and the control groups of this host (seen with version 1 of them).
 * @throws PreconditionError that names what this host lacks; Error with the end of its logs when it does not get ready
 */
export async function startRealNode({ kubernetes, network, versions, tools }: RealNodeOptions): Promise<LabNode> {
  const programs = await findNodePrograms();
  const directory = join(kubernetes.directory, NODE_NAME);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const images = join(directory, 'images');
  await makeTemporalImages(images, { versions, tools, imageProgram: programs.imageProgram });
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const registry = await startRegistry(images);
    stops.push(() => registry.close());
    stops.push(() => removeCgroups(network.name));
    await makeCgroups(network.name);
    const { kubeconfig } = kubernetes;
    const place = {
      directory,
      nodeName: NODE_NAME,
      kubeconfig,
      programs,
      network,
      registry: registry.url,
      kubeletPort: await findFreePort(),
    };
    await writeNodeFiles(place);
    const room = await startRoom(place);
    stops.push(() => room.stop(0));
    await waitUntilReady(kubernetes, async () => (await room.running()) !== undefined, directory);
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodeName: NODE_NAME, stop };
}

const Node = z.object({
  status: z.object({
    conditions: z
      .array(z.object({ type: z.string(), status: z.string(), message: z.string().default('') }))
      .default([]),
  }),
});

async function waitUntilReady(
  { access }: Pick<LabKubernetes, 'access'>,
  isRunning: () => Promise<boolean>,
  directory: string,
) {
  const api = await KubeApi.connect(access);
  const end = Date.now() + READY_WITHIN_MS;
  try {
    for (;;) {
      const node = await api.get(`/api/v1/nodes/${NODE_NAME}`).catch(() => undefined); // it is not registered yet
      const ready =
        node === undefined ? undefined : Node.parse(node).status.conditions.find(({ type }) => type === 'Ready');
      if (ready?.status === 'True') return;
      if (Date.now() > end || !(await isRunning())) {
        throw new Error(
          `the node of the lab did not get ready (${ready?.message ?? 'it is not registered'}):\n${await logsOf(directory)}`,
        );
      }
      await sleep(200);
    }
  } finally {
    api.close();
  }
}

/** The end of each log. */
async function logsOf(directory: string): Promise<string> {
  const { roomLog, containerdLog, kubeletLog } = filesOfNode(directory);
  const tails = [roomLog, containerdLog, kubeletLog].map(async (file) => {
    const text = await readFile(file, 'utf8').catch(() => '');
    return `${file}:\n${text.trimEnd().split('\n').slice(-8).join('\n')}`;
  });
  return (await Promise.all(tails)).join('\n');
}
