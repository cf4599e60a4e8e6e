import { compareVersions } from '../version.js';

/** What the slot of a pod depends on. */
export interface SlotPod {
  readonly name: string;
  /** Version by its own image; absent where that does not tell. */
  readonly version?: string | undefined;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Whether it has been told to end. */
  readonly ending: boolean;
}

/** What its role is to become. */
export interface SlotRole {
  /** How many pods it is to have. */
  readonly wanted: number;
  /** Version of the pods that its workload makes from now on. */
  readonly coming?: string | undefined;
}

/** Pods of one role in the order of their slots. */
export interface Slots<T> {
  /** Slot 1 first; at most as many as are wanted. */
  readonly staying: readonly T[];
  /** More than are wanted, or ending: they go away by themselves. */
  readonly leaving: readonly T[];
}

/**
 * The slot of each pod of a role. Pods have no name that lasts, and a roll needs one: the newest version comes first, its pods
 * as they were made; then older ones, the latest first. So forward new pods take slots 1, 2, …; back those that went back take N, N - 1,
 * …: both in the order of a roll. A pod that is one too many is of the version that goes.
 */
export function slotsOf<T extends SlotPod>(pods: readonly T[], { wanted, coming }: SlotRole): Slots<T> {
  const ending = inOrder(pods.filter((pod) => pod.ending));
  const ordered = inOrder(pods.filter((pod) => !pod.ending));
  const tooMany = Math.max(0, ordered.length - wanted);
  const going = coming === undefined ? ordered : ordered.filter(({ version }) => version !== coming);
  const staying = coming === undefined ? [] : ordered.filter(({ version }) => version === coming);
  const surplus = new Set([...staying, ...going].slice(ordered.length - tooMany));
  return {
    staying: ordered.filter((pod) => !surplus.has(pod)),
    leaving: [...ordered.filter((pod) => surplus.has(pod)), ...ending],
  };
}

/**
 * Whether pods of a newer version that are ready have slots before this one, and none the slot itself. As the controller takes
 * away a pod that did not come up, it makes one more of the version before: all that are wanted of that are there, and those that were
 * replaced and proved before it would go with it. They have steps of their own.
 */
export function hasNewerBefore(
  pods: readonly (SlotPod & { readonly ready: boolean })[],
  { version, slot }: { readonly version: string; readonly slot: number },
): boolean {
  const isNewer = (one: string | undefined) => one !== undefined && compareVersions(one, version) > 0;
  const newer = pods.filter((pod) => !pod.ending && pod.ready && isNewer(pod.version));
  return newer.length > 0 && newer.length < slot;
}

/**
 * Whether the pod in a slot is to be put back: the version before comes again while one pod is too many, as it is after a step
 * forward. It may be ready, and not have been proved; it is then the one too many.
 */
export function isPutBack(
  pods: readonly SlotPod[],
  { slot, version, wanted, coming }: SlotRole & { readonly version: string; readonly slot: number },
): boolean {
  const present = pods.filter(({ ending }) => !ending);
  if (coming === undefined || compareVersions(version, coming) >= 0 || present.length <= wanted) return false;
  return slotsOf(pods, { wanted, coming }).staying[slot - 1]?.version === coming;
}

function inOrder<T extends SlotPod>(pods: readonly T[]): T[] {
  const newest = pods
    .flatMap(({ version }) => version ?? [])
    .toSorted(compareVersions)
    .at(-1);
  return pods.toSorted((a, b) => {
    if (a.version !== b.version) {
      if (a.version === undefined) return 1;
      return b.version === undefined ? -1 : compareVersions(b.version, a.version);
    }
    const byTime = Date.parse(a.createdAt) - Date.parse(b.createdAt) || (a.name < b.name ? -1 : 1);
    return a.version === newest ? byTime : -byTime;
  });
}
