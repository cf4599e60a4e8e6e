import { ActivityFailure, ApplicationFailure, CancellationScope, patched, workflowInfo } from '@temporalio/workflow';
import type { Holder, MaybeRecorded } from '../contract/activities.js';
import type { Identity } from '../core/identity.js';
import type { RolloutInput } from '../core/input/input.js';
import type { PolicyDifference } from '../core/input/policy-differences.js';
import { ENVIRONMENTS, type Environment, type Path, type RolloutPlan } from '../core/plan.js';
import type { MarkedBy } from '../core/run-mark.js';
import type { Conductor } from './conductor.js';
import { letGoOf } from './let-go.js';
import { control, near } from './proxies.js';

/** What is settled before the first hop, and holds for the whole roll-out. */
export interface Prepared extends MarkedBy {
  readonly input: RolloutInput;
  readonly plan: RolloutPlan;
  readonly holder: Holder;
  readonly searchAttributes: boolean;
  /** Who started the roll-out; absent in runs of builds that did not know it. */
  readonly starter?: Identity | undefined;
  /** What the report says of the rules; absent in runs of builds that did not tell it. */
  readonly differences?: readonly PolicyDifference[] | undefined;
}

/** Validates, looks at both clusters, plans, and takes hold of them; changes nothing else. */
export async function prepare(conductor: Conductor, raw: unknown): Promise<Prepared> {
  conductor.next = 'preflight of staging and live, then the plan';
  conductor.show();
  const { workflowId, firstExecutionRunId } = workflowInfo();
  try {
    const { input, controlPlane, searchAttributes, starter, differences } =
      await control.validateInput.executeWithOptions({ summary: 'input' }, [raw]);
    const inspect = (environment: Environment) =>
      near(input[environment]).glance.inspectTarget.executeWithOptions(
        { summary: `look at ${input[environment].name}` },
        [{ target: input[environment], controlPlaneClusterId: controlPlane.clusterId }],
      );
    const [staging, live] = await Promise.all([inspect('staging'), inspect('live')]);
    const plan = await control.makePlan.executeWithOptions({ summary: 'plan' }, [{ input, starter, staging, live }]);
    const holder: Holder = {
      controlPlaneClusterId: controlPlane.clusterId,
      controlPlaneNamespace: controlPlane.namespace,
      workflowId,
      firstRunId: firstExecutionRunId,
    };
    await bringTools(input, plan, { dataDir: input.dataDir, rolloutId: workflowId, firstRunId: firstExecutionRunId });
    const examined = await examineBoth(input, plan);
    const claimed: Environment[] = [];
    try {
      for (const environment of ENVIRONMENTS) {
        const target = input[environment];
        await near(target).look.claimTarget.executeWithOptions({ summary: `take hold of ${target.name}` }, [
          { target, holder },
        ]);
        claimed.push(environment);
      }
    } catch (error) {
      await CancellationScope.nonCancellable(async () => {
        // Why the other cluster could not be taken is what counts.
        for (const environment of claimed) await letGoOf(input[environment], holder);
      });
      throw error;
    }
    // Asked here alone: what an earlier release began has a load and a meter under their ids already.
    const lastDigits = patched('ids-by-last-digits') ? true : undefined;
    return { input, plan: examined, holder, searchAttributes, starter, differences, lastDigits };
  } catch (error) {
    // A failed activity says what is wrong in its cause; the roll-out fails with just that, type and details included.
    if (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure) {
      const { message, type, details, cause } = error.cause;
      throw ApplicationFailure.create({
        message,
        type: type ?? 'PreflightFailed',
        details: details ?? [],
        cause,
        nonRetryable: true,
      });
    }
    throw error;
  }
}

/**
 * Both targets as their first hop would find them: what stands in its way shows before anything is begun. What is to be looked
 * at becomes part of the plan, and so of every gate and the report.
 */
async function examineBoth(input: RolloutInput, plan: RolloutPlan): Promise<RolloutPlan> {
  const examine = async (environment: Environment): Promise<Path> => {
    const [hop] = plan[environment].hops;
    if (hop === undefined) return plan[environment];
    const target = input[environment];
    const { findings } = await near(target).glance.examineTarget.executeWithOptions(
      { summary: `examine ${target.name} for ${hop.from} → ${hop.to}` },
      [{ target, hop }],
    );
    return { ...plan[environment], findings: [...plan[environment].findings, ...findings] };
  };
  const [staging, live] = await Promise.all([examine('staging'), examine('live')]);
  return { ...plan, staging, live };
}

/** Each target's workers get the programs of all hops now: one that cannot be had must not show between two hops. */
async function bringTools(input: RolloutInput, plan: RolloutPlan, record: MaybeRecorded): Promise<void> {
  for (const environment of ENVIRONMENTS) {
    const versions = plan[environment].hops.map(({ to }) => to);
    if (versions.length === 0) continue;
    const target = input[environment];
    await near(target).act.bringTools.executeWithOptions(
      { summary: `tools of ${versions.join(', ')} for ${target.name}` },
      [{ ...record, target, versions }],
    );
  }
}
