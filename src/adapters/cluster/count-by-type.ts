import type { RunningCount } from '../../core/running-work/running-counts.js';
import { countRunning, listRunningPage, RUNNING_QUERY } from './target-cluster.js';
import type { TargetConnection } from './target-connection.js';

/** Types beyond these are counted with the namespace alone. */
const MOST_TYPES = 100;
const PAGE_SIZE = 200;

/**
 * Counts running workflows of a namespace by type, as visibility does. It lists none but a few: each page names types, and the
 * next page is asked for without them.
 */
export async function countRunningByType(target: TargetConnection, namespace: string): Promise<RunningCount> {
  const running = await countRunning(target, namespace);
  const types = new Map<string, number>();
  while (types.size < MOST_TYPES) {
    const page = await listRunningPage(target, namespace, PAGE_SIZE, without([...types.keys()]));
    const found = new Set(
      page.map(({ type }) => type).filter((type) => !types.has(type) && quoted(type) !== undefined),
    );
    if (found.size === 0) break;
    for (const type of found) {
      types.set(type, await countRunning(target, namespace, `${RUNNING_QUERY} AND WorkflowType = ${quoted(type)}`));
    }
  }
  return { running, types: Object.fromEntries(types) };
}

function without(types: readonly string[]): string {
  if (types.length === 0) return RUNNING_QUERY;
  return `${RUNNING_QUERY} AND WorkflowType NOT IN (${types.map(quoted).join(', ')})`;
}

/** Undefined for a name that a query cannot hold: servers take a quote within it, escaped, and find nothing (seen on 1.31.2). */
function quoted(type: string): string | undefined {
  return /['"\\]/.test(type) ? undefined : `"${type}"`;
}
