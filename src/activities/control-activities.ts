import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { activityInfo, ApplicationFailure, getClient } from '@temporalio/activity';
import { expandHome } from '../adapters/data-dir.js';
import { missingSearchAttributes } from '../adapters/search-attributes.js';
import { READABLE, writeWhole } from '../adapters/write-whole.js';
import type { ControlActivities } from '../contract/activities.js';
import { FailureType, SEARCH_ATTRIBUTE_NAMES } from '../contract/names.js';
import type { Catalogue } from '../core/catalogue/catalogue.js';
import type { ClusterFacts } from '../core/cluster.js';
import { PreconditionError } from '../core/errors.js';
import { parseRolloutInput, type RolloutInput } from '../core/input/input.js';
import { type Finding, findingText } from '../core/finding.js';
import type { RolloutPlan } from '../core/plan.js';
import { planRollout } from '../core/planning/rollout-plan.js';
import { reportMarkdown } from '../report/report-markdown.js';
import { presentState } from '../core/planning/present-state.js';
import { rollTargetOf } from '../core/planning/roll-settings.js';

/** Activities of the roll-out itself: they touch no target. */
export const createControlActivities = ({ catalogue }: { readonly catalogue: Catalogue }): ControlActivities => ({
  async validateInput(raw) {
    const input = parseRolloutInput(raw);
    const { connection, options } = getClient();
    const { clusterId } = await connection.workflowService.getClusterInfo({});
    const namespace = activityInfo().workflowNamespace;
    return {
      input,
      controlPlane: { clusterId: clusterId ?? '', namespace: namespace ?? options.namespace },
      searchAttributes: await hasSearchAttributes(namespace ?? options.namespace),
    };
  },

  makePlan({ input, staging, live }) {
    return Promise.resolve().then(() => makePlan(catalogue, input, staging, live));
  },

  async writeReport({ dataDir, result }) {
    const directory = join(expandHome(dataDir), 'reports', result.rolloutId, result.startedAt.replaceAll(':', '-'));
    await mkdir(directory, { recursive: true });
    await writeWhole(join(directory, 'report.json'), `${JSON.stringify(result, null, 2)}\n`, READABLE);
    await writeWhole(join(directory, 'report.md'), reportMarkdown(result), READABLE);
    return { directory };
  },
});

function makePlan(catalogue: Catalogue, input: RolloutInput, staging: ClusterFacts, live: ClusterFacts) {
  if (staging.clusterId === live.clusterId) {
    throw ApplicationFailure.nonRetryable(
      `staging (${input.staging.name}) and live (${input.live.name}) are one and the same cluster, ${live.clusterId}; ` +
        'a roll-out needs a staging cluster of its own',
      FailureType.preflightFailed,
    );
  }
  const plan = planOrRefuse(() =>
    planRollout({
      catalogue,
      to: input.to,
      pins: input.pins,
      staging: {
        ...presentState(input.staging, staging),
        roll: rollTargetOf(input.staging, input.policy.roll),
      },
      live: { ...presentState(input.live, live), roll: rollTargetOf(input.live, input.policy.roll) },
    }),
  );
  const blocking = [...plan.findings, ...plan.staging.findings, ...plan.live.findings]
    .concat([...plan.staging.hops, ...plan.live.hops].flatMap((hop): readonly Finding[] => hop.findings))
    .filter(({ severity }) => severity === 'block');
  if (blocking.length > 0) {
    throw ApplicationFailure.create({
      type: FailureType.unsupportedPath,
      message: blocking.map(findingText).join('\n'),
      nonRetryable: true,
      details: [blocking],
    });
  }
  return plan;
}

/** The same input, the same facts: planned again, it would be refused again. */
function planOrRefuse(plan: () => RolloutPlan): RolloutPlan {
  try {
    return plan();
  } catch (error) {
    if (!(error instanceof PreconditionError)) throw error;
    throw ApplicationFailure.create({
      type: FailureType.preflightFailed,
      message: error.message,
      nonRetryable: true,
      details: [error.facts],
      cause: error,
    });
  }
}

/** Setting a search attribute that is not registered would block the workflow, so in doubt it is left out. */
async function hasSearchAttributes(namespace: string): Promise<boolean> {
  try {
    return (await missingSearchAttributes(getClient().connection, namespace, SEARCH_ATTRIBUTE_NAMES)).length === 0;
  } catch {
    return false;
  }
}
