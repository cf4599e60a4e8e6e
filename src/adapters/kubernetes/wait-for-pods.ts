import { PreconditionError } from '../../core/errors.js';
import { formatDuration } from '../../core/duration.js';
import { isSurelyReady, type Pod, troubleOf } from '../../core/pods/pod.js';
import { asPod } from './as-pod.js';
import type { Context } from './context.js';
import { describePod } from './describe-pod.js';
import { PodShape } from './shapes.js';
import { watchList } from './watch-list.js';
import { nameOfWorkload, selectorOf, type Workload } from './workload.js';

/** What is waited for among the pods of a workload. */
export interface PodWait<T> {
  readonly workload: Workload;
  readonly look: (pods: readonly Pod[]) => T | undefined;
  readonly timeoutMs: number;
  readonly onTimeout: (pods: readonly Pod[]) => Error | Promise<Error>;
}

/** Watches the pods of a workload. */
export async function watchPods<T>({ api, input, work }: Context, wait: PodWait<T>): Promise<T> {
  const { workload, look, timeoutMs, onTimeout } = wait;
  let pods: readonly Pod[] = [];
  return watchList(
    api,
    {
      path: `/api/v1/namespaces/${input.namespace}/pods`,
      query: { labelSelector: selectorOf(workload) },
      shape: PodShape,
      look: (shapes) => {
        pods = shapes.flatMap((shape) => asPod(shape, workload, input) ?? []);
        return look(pods);
      },
      timeoutMs,
      onTimeout: () => onTimeout(pods),
    },
    work,
  );
}

/** How long pods have to be well that cannot be taken at their word yet. */
const STEADY_MS = 3_000;

/** What a pod that is waited for has to show: to be ready, or that its container runs. */
export type PodGoal = 'ready' | 'running';

/**
 * Waits until the workload has `count` pods of `version` that are ready. What cannot become ready is told at once, what does not in time
 * when that is over: with its events and the end of its log.
 * @throws PreconditionError
 */
export async function waitForPods(
  context: Context,
  { workload, version, count, goal = 'ready' }: PodsWanted,
): Promise<readonly Pod[]> {
  const { input, work } = context;
  let wellSince: number | undefined;
  const own = (pods: readonly Pod[]) => pods.filter((pod) => !pod.ending && pod.version === version);
  const found = await watchPods<readonly Pod[] | Unwell>(context, {
    workload,
    timeoutMs: input.startTimeout,
    look: (pods) => {
      const mine = own(pods);
      const unwell = mine.filter((pod) => !pod[goal]);
      const isWell = mine.length >= count && unwell.length === 0;
      wellSince = isWell ? (wellSince ?? Date.now()) : undefined;
      const now = Date.now();
      const isSteady = mine.every((pod) => isSurelyReady(pod, now)) || now - (wellSince ?? Infinity) >= STEADY_MS;
      if (isWell && isSteady) return mine;
      for (const pod of unwell) {
        const trouble = troubleOf(pod, now);
        if (trouble?.isFinal === true) return { pod, why: trouble.text };
      }
      const told = unwell.map(({ name }) => name).join(', ') || `${count - mine.length} that are not there yet`;
      work.onProgress?.(`${nameOfWorkload(workload)} with ${version} waits for ${told}`);
      return undefined;
    },
    onTimeout: async (pods) => {
      const late = own(pods).find((pod) => !pod[goal]);
      const within = formatDuration(input.startTimeout);
      if (late !== undefined) {
        const why = troubleOf(late, Date.now())?.text ?? `it is not ${goal}`;
        return podFailure(context, { pod: late, why: `after ${within}: ${why}` }, version);
      }
      const there = own(pods).length;
      return new PreconditionError(
        `${nameOfWorkload(workload)} has ${there} pods with ${version} after ${within}, not ${count}`,
        { workload: workload.name, version },
      );
    },
  });
  if ('why' in found) throw await podFailure(context, found, version);
  return found;
}

interface PodsWanted {
  readonly workload: Workload;
  readonly version: string;
  readonly count: number;
  readonly goal?: PodGoal;
}

interface Unwell {
  readonly pod: Pod;
  readonly why: string;
}

async function podFailure(context: Context, { pod, why }: Unwell, version: string): Promise<PreconditionError> {
  return new PreconditionError(
    `pod ${pod.name} with ${version} does not become ready: ${why}\n${await describePod(context, pod)}`,
    { pod: pod.name, version },
  );
}
