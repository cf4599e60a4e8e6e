import type { NodeState } from '../../core/cluster.js';
import type { KubernetesDriver } from '../../core/input/input.js';
import { versionOfImage } from '../../core/pods/images.js';
import type { Pod } from '../../core/pods/pod.js';
import { stopSecondsOf } from '../../core/pods/stop-time.js';
import { slotsOf } from '../../core/pods/slots.js';
import { DELETION_COST, GOES_FIRST } from './annotations.js';
import { hostForUrl } from './host-for-url.js';
import type { PodShape } from './shapes.js';
import { serverContainer, type Workload } from './workload.js';

/** Phases of pods that are over, such as one that was evicted: its workload has made another one. */
const OVER = ['Failed', 'Succeeded'];

/** A pod of a workload as it was seen; undefined when it is over. */
export function asPod(shape: PodShape, { role }: Pick<Workload, 'role'>, input: KubernetesDriver): Pod | undefined {
  const { metadata, spec, status } = shape;
  if (OVER.includes(status.phase) && metadata.deletionTimestamp === undefined) return undefined;
  const container = serverContainer(spec.containers, role, input);
  if (container === undefined) return undefined;
  const seen = status.containerStatuses.find(({ name }) => name === container.name);
  const { running, waiting, terminated } = seen?.state ?? {};
  const ended = terminated ?? seen?.lastState.terminated;
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  const scheduled = status.conditions.find(({ type }) => type === 'PodScheduled');
  const version = versionOfImage(seen?.image ?? '', input.images) ?? versionOfImage(container.image, input.images);
  return {
    name: metadata.name,
    uid: metadata.uid,
    role,
    createdAt: metadata.creationTimestamp,
    ending: metadata.deletionTimestamp !== undefined,
    version,
    ip: status.podIP,
    running: running !== undefined,
    ready: ready?.status === 'True',
    probed: container.readinessProbe !== undefined,
    readySince: ready?.status === 'True' ? (ready.lastTransitionTime ?? undefined) : undefined,
    startedAt: running?.startedAt ?? undefined,
    containerId: seen?.containerID,
    container: container.name,
    restarts: seen?.restartCount ?? 0,
    image: container.image,
    stopSeconds: stopSecondsOf(spec.terminationGracePeriodSeconds, container.lifecycle?.preStop),
    ...(metadata.annotations[DELETION_COST] === GOES_FIRST ? { goesFirst: true as const } : {}),
    ...(waiting === undefined ? {} : { waitingFor: { reason: waiting.reason ?? '', message: waiting.message ?? '' } }),
    ...(ended === undefined ? {} : { ended: { exitCode: ended.exitCode, reason: ended.reason ?? 'unknown reason' } }),
    ...(scheduled?.status === 'False'
      ? { unscheduled: scheduled.message ?? scheduled.reason ?? 'unknown reason' }
      : {}),
  };
}

/** The nodes of a workload by their slots: its pods, and one that does not run for each that is wanted and is not there. */
export function nodesOfWorkload(workload: Workload, pods: readonly Pod[], input: KubernetesDriver): NodeState[] {
  const { role, wanted } = workload;
  const { staying, leaving } = slotsOf(pods, { wanted, coming: workload.version });
  const missing = Array.from({ length: wanted - staying.length }, () => undefined);
  return [...staying, ...missing, ...leaving].map((pod, index) => {
    const host = pod === undefined ? 'no-pod' : pod.ip === undefined ? 'no-ip' : hostForUrl(pod.ip);
    return {
      name: `${role}-${index + 1}`,
      role,
      rpcAddress: `${host}:${input.rpcPorts[role]}`,
      ...(input.metricsPort === null ? {} : { metricsAddress: `${host}:${input.metricsPort}` }),
      running: pod?.running === true,
      ...(pod?.running === true ? runOf(pod) : {}),
      ...(pod === undefined ? {} : { pod: pod.name, stopSeconds: pod.stopSeconds }),
      ...(workload.shape.kind === 'Deployment' ? { surge: true as const } : {}),
      ...(pod !== undefined && leaving.includes(pod) ? { leaving: true as const } : {}),
    };
  });
}

function runOf({ version, uid, containerId = '', restarts, startedAt }: Pod): Partial<NodeState> {
  return {
    ...(version === undefined ? {} : { version }),
    // Where the kubelet names no container, how often it was started anew tells its runs apart.
    instance: `${uid}/${containerId === '' ? restarts : containerId}`,
    ...(startedAt === undefined ? {} : { startedAt: new Date(startedAt).toISOString() }),
  };
}
