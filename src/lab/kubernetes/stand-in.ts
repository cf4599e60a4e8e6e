import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ToolResolver } from '../../adapters/tools/tools.js';
import { findFreePort } from '../free-ports.js';
import type { LabKubernetes } from './api-server.js';
import { Behaviours, type Behaviour, type PodMatch } from './behaviour.js';
import { KubeApi } from './kube-api.js';
import { KubeEvents } from './kube-events.js';
import { follow } from './kube-follow.js';
import { registerNode, type LabNode } from './lab-node.js';
import { serveLogs } from './log-server.js';
import { PodAddresses } from './pod-addresses.js';
import { PodLife } from './pod-life.js';
import { Pod } from './pod.js';
import { pretendedContainers } from './pretended-containers.js';
import { createServerRuntime } from './server-containers.js';

export interface StandInOptions {
  readonly kubernetes: Pick<LabKubernetes, 'access' | 'directory' | 'certificates'>;
  /** Mode `servers`: containers of Temporal's servers are real processes of the version that their image's tag says. */
  readonly servers?: { readonly tools: ToolResolver };
  /** How often a pod's mounted ConfigMaps are looked at: a kubelet's 60 s, and up to half as long again; 2 s when left out. In milliseconds. */
  readonly syncMs?: number;
  /** A kubelet's first wait is 10 s; 1 s when left out. In milliseconds. */
  readonly backOffMs?: number;
  readonly nodeName?: string;
}

/** What stands in for the kubelet of a node. */
export interface StandIn extends LabNode {
  /**
   * Pods that match, those of today too, behave so from now on; without a behaviour they do as they did before. The rule that
   * was given last counts, and comes before the annotation `lab.temporal-upgrade/behaviour` of a pod.
   */
  behave(match: PodMatch, behaviour: Partial<Behaviour> | undefined): void;
}

/**
 * Stands in for a node and its kubelet, the only fake in the lab's Kubernetes: a real one (`node/real-node.ts`) needs containers, cgroups
 * and a bridge, which a host of tests may not give, and does not fail as it is told. It takes the pods that the real scheduler gives it and leads them as a
 * kubelet does, by watch: pulled, started, ready, started again after a crash, stopped within the grace period, told by status,
 * events and logs. Not there: images, isolation, init containers (they succeed at once), liveness and startup probes,
 * life-cycle hooks, `exec`, and addresses of Services.
 *
 * Containers run nothing, and behave as they are told; in the mode `servers`, those of Temporal's servers are real processes
 * with an address of their own (see {@link createServerRuntime}).
 * @throws KubeApiError when the API server refuses; Error when it cannot be reached
 */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const { kubernetes, servers, backOffMs = 1_000, syncMs = 2_000, nodeName = 'lab-1' } = options;
  const folder = join(kubernetes.directory, nodeName);
  const logs = join(folder, 'logs');
  await mkdir(logs, { recursive: true });
  const api = await KubeApi.connect(kubernetes.access);
  const port = await findFreePort();
  const behaviours = new Behaviours();
  const addresses = new PodAddresses(servers !== undefined);
  const events = new KubeEvents(api, nodeName);
  const ended = new AbortController();
  const runtime =
    servers === undefined
      ? pretendedContainers
      : await createServerRuntime({
          api,
          folder: join(folder, 'pods'),
          tools: servers.tools,
          signal: ended.signal,
          syncMs,
        });
  const pods = new Map<string, Promise<PodLife>>();
  const logFile = (pod: Pod, container: string, run: number) =>
    join(logs, `${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid}_${container}_${run}.log`);
  const node = await registerNode(api, nodeName, port);

  const begin = async (pod: Pod) => {
    const podIp = await addresses.take();
    const behaviourOf = (one: Pod) => behaviours.of(one);
    return new PodLife(pod, {
      ...{ api, events, runtime, behaviourOf, podIp, backOffMs, logFile },
      hostIp: node.hostIp,
    });
  };
  const remove = async (begun: Promise<PodLife>) => {
    const life = await begun;
    await life.kill();
    await addresses.drop(life.podIp);
  };
  const byName = new Map<string, PodLife>();
  const onObject = (object: unknown, uid: string) => {
    const pod = Pod.parse(object);
    if (pod.spec.nodeName !== nodeName) return;
    const begun = pods.get(uid) ?? begin(pod);
    if (!pods.has(uid)) pods.set(uid, begun);
    void begun.then((life) => {
      byName.set(`${pod.metadata.namespace}/${pod.metadata.name}`, life);
      life.update(pod);
    });
  };
  const onGone = (uid: string) => {
    const begun = pods.get(uid);
    pods.delete(uid);
    if (begun !== undefined) void remove(begun);
  };
  const logServer = await serveLogs({
    port,
    certificates: kubernetes.certificates,
    fileOf: ({ namespace, pod, container, previous }) => {
      const life = byName.get(`${namespace}/${pod}`);
      const run = life?.runOf(container, previous);
      return life === undefined || run === undefined ? undefined : logFile(life.pod, container, run);
    },
  });
  await follow(api, '/api/v1/pods', { onObject, onGone }, ended.signal);

  return {
    nodeName,
    behave: (match, behaviour) => {
      behaviours.set(match, behaviour);
      for (const begun of pods.values()) void begun.then((life) => life.reconsider());
    },
    stop: async () => {
      ended.abort();
      node.close();
      await logServer.close();
      await Promise.all([...pods.values()].map(remove));
      await addresses.close();
      api.close();
    },
  };
}
