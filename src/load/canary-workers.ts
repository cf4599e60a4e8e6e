import type { ReachableBy } from '../adapters/connection-options.js';
import type { LoadPolicy } from '../core/input/input.js';
import { namespacesOf } from '../core/input/load-namespaces.js';
import { runCanaryWorker } from './canary-worker.js';
import { runSimpleWorker } from './simple-worker.js';
import { canaryTaskQueueOf, simpleTaskQueueOf, uncachedTaskQueueOf } from './start-command.js';
import { weightsOf } from './streams.js';

/** Works on all canaries of a load, in each of its namespaces, until `stop` is aborted. */
export async function runCanaryWorkers(options: {
  readonly reachableBy: ReachableBy;
  readonly policy: LoadPolicy;
  readonly loadId: string;
  readonly stop: AbortSignal;
  readonly onProblem: (message: string) => void;
}): Promise<void> {
  const { policy, loadId, ...rest } = options;
  const namespaces = namespacesOf(policy);
  const startsPerSecond = policy.startsPerSecond / namespaces.length;
  const queues = [
    { taskQueue: canaryTaskQueueOf(loadId), cached: true },
    ...((policy.uncachedShare ?? 0) > 0 ? [{ taskQueue: uncachedTaskQueueOf(loadId), cached: false }] : []),
  ];
  const hasSimple = (weightsOf(policy).simple ?? 0) > 0;
  const simple = { taskQueue: simpleTaskQueueOf(loadId), identity: `temporal-upgrade-load-${loadId}` };
  await Promise.all(
    namespaces.flatMap((namespace) => [
      ...queues.map((queue) => runCanaryWorker({ ...rest, namespace, startsPerSecond, ...queue })),
      ...(hasSimple ? [runSimpleWorker({ ...rest, namespace, startsPerSecond, ...simple })] : []),
    ]),
  );
}
