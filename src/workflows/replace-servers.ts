import { CancellationScope } from '@temporalio/workflow';
import type { NodeResult } from '../contract/activities.js';
import type { Hop } from '../core/plan.js';
import { rollBatches, type RollBatch } from '../core/planning/roll-batches.js';
import type { Done } from './conductor.js';
import { describeFailure } from './describe-failure.js';
import { recordOf, type HopContext } from './hop-context.js';
import { observeCanary, type CanaryWindow } from './observe-canary.js';
import { setForRoll, takeBackForRoll, type RollState } from './roll-settings.js';

export interface Replacement {
  readonly direction: 'forward' | 'back';
  /** Kept up to date: both versions of the hop from the first node on, one version after the last. */
  readonly state: RollState;
  /** How the first node of a role is observed. None is where this is left out: what a roll-back leads to was seen before. */
  readonly canary?: CanaryWindow;
}

/**
 * Replaces the servers role by role, a batch of nodes at a time, each proved before the next; the first node of a role that
 * has more than one goes alone and is observed. Between two batches a pause, an abort or a roll-back takes effect. Nodes that
 * run the version already are left alone. The settings with which servers drain are there from before the first until after
 * the last; where it ends in between, `leaveNoRollSettings` takes them back.
 */
export async function replaceServers(context: HopContext, replacement: Replacement): Promise<Done<readonly string[]>> {
  const { direction, state, canary } = replacement;
  const { conductor, target, place, hop, policy } = context;
  const version = direction === 'forward' ? hop.to : hop.from;
  if (direction === 'forward')
    await target.act.takeSnapshot.executeWithOptions({ summary: 'who owns which shard' }, [place]);
  const steps = await target.look.planRoll.executeWithOptions({ summary: 'order of nodes' }, [
    { target: place.target, direction },
  ]);
  // Half a roll-back is no safe point: once begun it goes on to its end.
  const passable = async () => {
    if (direction === 'forward') await conductor.passable();
  };
  await passable();
  const settings = await setForRoll(context, replacement);
  const replaced: string[] = [];
  const late: string[] = [];
  const { batch: atOnce, canary: canaryMs } = policy.roll;
  const batches = rollBatches(steps, { batch: atOnce, canary: canary !== undefined && canaryMs > 0 });
  for (const batch of batches) {
    await passable();
    state.servers = bothVersions(hop);
    // From here on a server of the new version may have written, also one that is put back.
    if (direction === 'forward') conductor.desk.irreversible = noWayBack(hop);
    const results = await replaceBatch(context, batch, { direction, state, isLast: batch === batches.at(-1) });
    late.push(...results.flatMap(lateLines));
    replaced.push(...results.filter(({ changed }) => changed).map(({ node }) => node));
    if (canary !== undefined && batch.isCanary) await observeCanary(context, batch, canary, results[0]?.servingAt);
  }
  state.servers = version;
  settings.push(...(await takeBackForRoll(context, state)));
  const kept = steps.length - replaced.length;
  const summary = `${replaced.length} nodes replaced${kept === 0 ? '' : `, ${kept} ran ${version} already`}`;
  return { summary: [summary, ...late, ...settings, ...(canary?.seen.values() ?? [])].join('; '), value: replaced };
}

/** Why the servers alone cannot go back once one of the new version has run; empty where they can. */
export function noWayBack({ rollBack }: Hop): string[] {
  return rollBack.by === 'backup' ? rollBack.reasons.map(({ text }) => text) : [];
}

/** A view that stayed behind kept no process down for long; whoever looks for a failed call wants to know of it. */
function lateLines({ node, stillSeenBy = [] }: NodeResult): string[] {
  return stillSeenBy.length === 0 ? [] : [`${node} was started while ${stillSeenBy.join(', ')} still saw the old one`];
}

/** Every node of a batch is brought to its end, whatever becomes of the others. */
async function replaceBatch(
  { target, place, hop, policy }: HopContext,
  { nodes }: RollBatch,
  { direction, state, isLast }: Pick<Replacement, 'direction' | 'state'> & { readonly isLast: boolean },
): Promise<NodeResult[]> {
  const [version, previous] = direction === 'forward' ? [hop.to, hop.from] : [hop.from, hop.to];
  const { unproved } = state;
  const replace = async (node: string): Promise<NodeResult> => {
    const mayBeNew = unproved.has(node);
    unproved.add(node);
    const result = await target.act.replaceNode.executeWithOptions({ summary: `${node} → ${version}` }, [
      {
        ...recordOf(place),
        ...{ node, version, previous, quietMs: policy.roll.quiet },
        ...(nodes.length > 1 ? { beside: nodes.filter((other) => other !== node) } : {}),
        ...(isLast ? { isLast } : {}),
        ...(mayBeNew ? { mayBeNew } : {}),
      },
    ]);
    unproved.delete(node);
    return result;
  };
  // A cancelled roll-out leaves no node stopped: it ends between two nodes.
  const outcomes = await CancellationScope.nonCancellable(() => Promise.allSettled(nodes.map(replace)));
  const failures = outcomes
    .filter(({ status }) => status === 'rejected')
    .map((one): unknown => 'reason' in one && one.reason);
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new Error(failures.map(describeFailure).join('\n'));
  return outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

function bothVersions({ from, to }: Hop): string {
  return `${from} and ${to}`;
}
