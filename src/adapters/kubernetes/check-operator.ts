import { messageOf, PreconditionError } from '../../core/errors.js';
import { readCluster, refused, type OperatorStep } from './change-operator.js';
import type { Context } from './context.js';
import type { RolePods } from './find-workloads.js';
import { clustersPath, isReady, saidOf, withVersion } from './temporal-cluster.js';
import { isHeld, nameOfWorkload } from './workload.js';

/**
 * What keeps temporal-operator from bringing a version: workloads that are not its own, a cluster that is not ready, a version that it
 * does not take. The last is asked of its webhook, by a dry run. Changes nothing.
 */
export async function operatorProblems(
  context: Context,
  found: readonly RolePods[],
  step: OperatorStep,
): Promise<string[]> {
  const { api, input, work } = context;
  const { cluster, version } = step;
  try {
    const present = await readCluster(context, cluster);
    const problems = found.flatMap(({ workload }) => {
      const { ownerReferences } = workload.shape.metadata;
      if (ownerReferences.some(({ kind, name }) => kind === 'TemporalCluster' && name === cluster)) return [];
      return [
        `${nameOfWorkload(workload)} does not belong to TemporalCluster ${cluster}; correct "workloads" or "change.cluster"`,
      ];
    });
    // A roll that is under way leaves it not ready: what is held is not of its version yet.
    const isRolling = found.some(({ workload }) => isHeld(workload));
    if (!isRolling && !isReady(present))
      problems.push(
        `TemporalCluster ${cluster} is not ready by the word of its operator: ${saidOf(present)}; mend that first`,
      );
    if (present.spec.version !== version) {
      await api
        .patch(`${clustersPath(input)}/${cluster}`, withVersion(input, cluster, version), 'apply-dry-run', work)
        .catch((error: unknown) => {
          throw refused(error, step);
        });
    }
    return problems;
  } catch (error) {
    if (error instanceof PreconditionError) return [messageOf(error)];
    throw error;
  }
}
