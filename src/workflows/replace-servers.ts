import { CancellationScope } from '@temporalio/workflow';
import type { Hop } from '../core/plan.js';
import type { Done } from './conductor.js';
import type { HopContext } from './hop-context.js';

export interface Replacement {
  readonly direction: 'forward' | 'back';
  /** Told what the servers run: both versions of the hop from the first node on, one version after the last. */
  readonly onServers: (versions: string) => void;
}

/**
 * Replaces the servers role by role, node by node, each SERVING and in the ring before the next. Between two nodes a
 * pause, an abort or a roll-back takes effect. Nodes that run the version already are left alone.
 */
export async function replaceServers(
  { conductor, target, place, hop }: HopContext,
  { direction, onServers }: Replacement,
): Promise<Done<readonly string[]>> {
  const version = direction === 'forward' ? hop.to : hop.from;
  if (direction === 'forward')
    await target.act.takeSnapshot.executeWithOptions({ summary: 'who owns which shard' }, [place]);
  const steps = await target.look.planRoll.executeWithOptions({ summary: 'order of nodes' }, [
    { target: place.target, direction },
  ]);
  const replaced: string[] = [];
  for (const { node } of steps) {
    // Half a roll-back is no safe point: once begun it goes on to its end.
    if (direction === 'forward') await conductor.passable();
    onServers(bothVersions(hop));
    // A cancelled roll-out leaves no node stopped: it ends between two nodes.
    const result = await CancellationScope.nonCancellable(() =>
      target.act.replaceNode.executeWithOptions({ summary: `${node} → ${version}` }, [
        { target: place.target, node, version },
      ]),
    );
    if (result.changed) replaced.push(node);
  }
  onServers(version);
  return {
    summary:
      replaced.length === steps.length
        ? `${replaced.length} nodes replaced`
        : `${replaced.length} nodes replaced, ${steps.length - replaced.length} ran ${version} already`,
    value: replaced,
  };
}

function bothVersions({ from, to }: Hop): string {
  return `${from} and ${to}`;
}
