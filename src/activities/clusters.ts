import { ApplicationFailure } from '@temporalio/activity';
import { claim, release, type LockHolder } from '../adapters/cluster/cluster-lock.js';
import { inspectTarget } from '../adapters/cluster/inspect-target.js';
import { withTarget } from '../adapters/open-target.js';
import { readClusterInfo } from '../adapters/cluster/target-cluster.js';
import { withTarget as withFrontend } from '../adapters/cluster/target-connection.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { Holder, TargetActivities } from '../contract/activities.js';
import { FailureType } from '../contract/names.js';
import type { ClusterFacts } from '../core/cluster.js';
import { PreconditionError } from '../core/errors.js';
import type { Target } from '../core/input/input.js';
import { valuesOf } from '../core/stores.js';
import { isOver } from './is-over.js';
import { currentWork } from './guard.js';

type ClusterActivities = Pick<TargetActivities, 'inspectTarget' | 'bringTools' | 'claimTarget' | 'releaseTarget'>;

/** Activities that look at a target as a whole, and take hold of it. */
export const createClusterActivities = ({ tools }: { readonly tools: ToolResolver }): ClusterActivities => ({
  async inspectTarget({ target, controlPlaneClusterId }) {
    try {
      const { clusterId } = await withFrontend(target.connection, (frontend) => readClusterInfo(frontend));
      if (clusterId === controlPlaneClusterId) throw targetIsControlPlane(target, clusterId);
      const facts = await inspectTarget(target, tools);
      requireStatedVersion(target, facts);
      return facts;
    } catch (error) {
      if (!(error instanceof PreconditionError)) throw error;
      throw ApplicationFailure.create({ type: FailureType.preflightFailed, message: error.message, cause: error });
    }
  },

  async bringTools({ target, versions }) {
    const work = currentWork();
    await withTarget(target, tools, async ({ driver, stores }) => {
      for (const version of versions) {
        await driver.prepare(version, work);
        for (const store of valuesOf(stores)) await store.prepareUpdate(version, work);
      }
    });
  },

  async claimTarget({ target, holder }) {
    await withFrontend(target.connection, async (frontend) => {
      const first = await claim(frontend, holder);
      if (first.claimed) return;
      // A roll-out that was terminated could not let go; its control plane knows that it is over.
      if (first.holder !== 'unknown' && (await holderIsOver(first.holder, holder)))
        await release(frontend, first.holder);
      const second = await claim(frontend, holder);
      if (second.claimed) return;
      throw ApplicationFailure.create({
        type: FailureType.clusterBusy,
        message: second.message,
        nonRetryable: true,
        details: [second.holder],
      });
    });
  },

  async releaseTarget({ target, holder }) {
    await withFrontend(target.connection, (frontend) => release(frontend, holder));
  },
});

/** Whether the roll-out that holds the cluster has ended; false when it belongs to another control plane. */
async function holderIsOver(held: LockHolder, own: Holder): Promise<boolean> {
  const sameControlPlane =
    held.controlPlaneClusterId === own.controlPlaneClusterId &&
    held.controlPlaneNamespace === own.controlPlaneNamespace;
  return sameControlPlane && (await isOver(held));
}

function targetIsControlPlane({ name }: Target, clusterId: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `${name} is the Temporal that runs this roll-out (cluster ${clusterId}); it would take itself down. ` +
      'Run the roll-out on another control plane, such as the one of "temporal-upgrade dev"',
    FailureType.targetIsControlPlane,
  );
}

/** Only before the first hop: after it the version is another than the one stated. */
function requireStatedVersion({ name, version }: Target, { frontends }: ClusterFacts): void {
  const other = frontends.find((frontend) => version !== undefined && frontend.version !== version);
  if (other === undefined) return;
  throw new PreconditionError(
    `frontend ${other.address} of ${name} runs ${other.version}, but the input says ${version}; correct "version", or leave it out`,
  );
}
