import type { Role } from '../input/input.js';
import type { SlotPod } from './slots.js';

/** One pod of a role, as it was seen. */
export interface Pod extends SlotPod {
  readonly uid: string;
  readonly role: Role;
  /** Absent until it has one. */
  readonly ip?: string | undefined;
  /** Whether its server's container runs. */
  readonly running: boolean;
  readonly ready: boolean;
  /** Its server's container has a readiness probe: without one a pod is ready as soon as that runs. */
  readonly probed: boolean;
  /** Since when it is ready, ISO 8601. */
  readonly readySince?: string | undefined;
  /** When its server's container began, ISO 8601. */
  readonly startedAt?: string | undefined;
  /** Id of its server's container: another one after each restart. */
  readonly containerId?: string | undefined;
  readonly container: string;
  readonly restarts: number;
  /** Image of its server's container. */
  readonly image: string;
  /** Time that its server gets to stop, in seconds. */
  readonly stopSeconds: number;
  /** Why its container does not run, in Kubernetes' own word: `ImagePullBackOff`. */
  readonly waitingFor?: { readonly reason: string; readonly message: string } | undefined;
  /** How its container ended last. */
  readonly ended?: { readonly exitCode: number; readonly reason: string } | undefined;
  /** Marked as the one that its controller is to take away first. */
  readonly goesFirst?: true | undefined;
  /** Why no node takes it. */
  readonly unscheduled?: string | undefined;
}

/** What nothing but a change of the pod mends; `ErrImagePull` may be a registry that is busy. */
const HOPELESS = ['InvalidImageName', 'CreateContainerConfigError', 'ErrImageNeverPull', 'RunContainerError'];
const UNPULLED = ['ErrImagePull', 'ImagePullBackOff'];

/** What keeps a pod from becoming ready, as far as it shows. */
export interface PodTrouble {
  readonly text: string;
  /** Whether to wait is of no use: else it may mend itself within the time that a start may take. */
  readonly isFinal: boolean;
}

/** How long an image may fail to be pulled, in milliseconds: a registry that is busy is asked again by the kubelet. */
const PULL_PATIENCE_MS = 20_000;

/** A server that ends at once, as by a wrong configuration, has ended by then. */
const ENDS_AT_ONCE_MS = 6_000;

/** Whether a pod that is ready may be taken at its word: a probe was answered, or its server has run for a while. `now` as in {@link troubleOf}. */
export function isSurelyReady({ ready, probed, startedAt }: Pod, now: number): boolean {
  return ready && (probed || (startedAt !== undefined && now - Date.parse(startedAt) > ENDS_AT_ONCE_MS));
}

/** What is wrong with a pod that is to become ready; undefined where nothing shows. `now` is in milliseconds since 1970. */
export function troubleOf(pod: Pod, now: number): PodTrouble | undefined {
  const { waitingFor, restarts, ended, unscheduled, createdAt } = pod;
  const said = waitingFor && `${waitingFor.reason}${waitingFor.message === '' ? '' : `: ${waitingFor.message}`}`;
  if (waitingFor !== undefined && HOPELESS.includes(waitingFor.reason)) return { text: said ?? '', isFinal: true };
  if (waitingFor !== undefined && UNPULLED.includes(waitingFor.reason)) {
    const isLate = now - Date.parse(createdAt) > PULL_PATIENCE_MS;
    return { text: `its image ${pod.image} cannot be pulled: ${said ?? ''}`, isFinal: isLate };
  }
  // One restart may be a database or a name that was not there for a moment.
  if (ended !== undefined && restarts >= 1) {
    const times = restarts === 1 ? 'once' : `${restarts} times`;
    return {
      text: `its server ended with exit code ${ended.exitCode} (${ended.reason}) and was started anew ${times}`,
      isFinal: restarts >= 2 || waitingFor?.reason === 'CrashLoopBackOff',
    };
  }
  if (ended !== undefined && waitingFor?.reason === 'CrashLoopBackOff')
    return { text: `its server ended with exit code ${ended.exitCode} (${ended.reason})`, isFinal: true };
  if (unscheduled !== undefined) return { text: `no node takes it: ${unscheduled}`, isFinal: false };
  return undefined;
}
