import { formatDuration } from '../../core/duration.js';
import { messageOf, PreconditionError } from '../../core/errors.js';
import { ApiError } from './api-error.js';
import { patiently } from './api.js';
import type { Context } from './context.js';
import {
  clustersPath,
  isReady,
  saidOf,
  TEMPORAL_CLUSTERS,
  TemporalClusterShape,
  withVersion,
  type OperatorChange,
} from './temporal-cluster.js';
import { waitForTemplate } from './wait-for-template.js';
import { watchList } from './watch-list.js';
import type { Workload } from './workload.js';

/** A version, and the resource that is to have it. */
export interface OperatorStep extends OperatorChange {
  readonly version: string;
}

/**
 * Steps the version of a `TemporalCluster` and waits until temporal-operator has written it into the template of each workload, all of which
 * are held. It runs its schema jobs before; they find the schema as the roll-out has left it. It writes replicas, selector
 * and template of a Deployment, and leaves what holds it (`paused`, `strategy`) as it is: internal/resource/base/deployment_builder.go of 0.22.0.
 * @throws PreconditionError with its own words when it refuses the version, or does not write it in time
 */
export async function changeByOperator(context: Context, held: readonly Workload[], step: OperatorStep): Promise<void> {
  const { api, input, work } = context;
  const { cluster, version, timeout } = step;
  const path = `${clustersPath(input)}/${cluster}`;
  const found = await readCluster(context, cluster);
  if (found.spec.version !== version) {
    try {
      await api.patch(path, withVersion(input, cluster, version), 'apply', work);
    } catch (error) {
      throw refused(error, step);
    }
  }
  const end = Date.now() + timeout;
  for (const workload of held) {
    await waitForTemplate(context, workload, {
      version,
      timeoutMs: Math.max(1, end - Date.now()),
      done: `TemporalCluster ${cluster} has version ${version}`,
      onTimeout: async () =>
        new PreconditionError(
          `TemporalCluster ${cluster} has version ${version}, and the operator has not brought it into ${workload.name} after ${formatDuration(timeout)}. It says: ${saidOf(await readCluster(context, cluster))}. Look at its log, and at its schema jobs (kubectl get jobs -n ${input.namespace})`,
          { cluster, version, workload: workload.name },
        ),
    });
  }
}

/** The resource as it is. @throws PreconditionError when there is none */
export async function readCluster({ api, input, work }: Context, name: string): Promise<TemporalClusterShape> {
  try {
    return TemporalClusterShape.parse(await patiently(() => api.get(`${clustersPath(input)}/${name}`), work));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    throw new PreconditionError(
      `namespace ${input.namespace} has no TemporalCluster ${name} (temporal.io/v1beta1); correct "change.cluster" or "namespace"`,
      { cluster: name },
      { cause: error },
    );
  }
}

/** Why the operator does not take a version, in its own words; any other error as it is. */
export function refused(error: unknown, { cluster, version }: OperatorStep): unknown {
  // Its webhook answers 422; one that was denied in another way says who did it. Rights that are missing are no refusal of the operator.
  const isRefused = error instanceof ApiError && (error.status === 422 || error.message.includes('admission webhook'));
  if (!isRefused) return error;
  return new PreconditionError(
    `temporal-operator does not take version ${version} for ${TEMPORAL_CLUSTERS}/${cluster}: ${messageOf(error)}. It takes the versions that its release knows, one minor at a time, and none back`,
    { cluster, version },
    { cause: error },
  );
}

/** Waits after a roll until the operator says that the cluster is ready. @returns a line when it does not say so in time */
export async function waitUntilReady({ api, input, work }: Context, { cluster }: OperatorChange): Promise<string[]> {
  let last: TemporalClusterShape | undefined;
  return watchList(
    api,
    {
      path: clustersPath(input),
      query: { fieldSelector: `metadata.name=${cluster}` },
      shape: TemporalClusterShape,
      look: ([found]): string[] | undefined => {
        last = found;
        if (found !== undefined && isReady(found)) return [];
        work.onProgress?.(`the operator is to say that TemporalCluster ${cluster} is ready`);
        return undefined;
      },
      timeoutMs: input.startTimeout,
      onTimeout: () =>
        new PreconditionError(
          `TemporalCluster ${cluster} is not ready by the word of its operator: ${last === undefined ? 'it is gone' : saidOf(last)}`,
        ),
    },
    work,
  ).catch((error: unknown) => {
    if (error instanceof PreconditionError) return [error.message];
    throw error;
  });
}
