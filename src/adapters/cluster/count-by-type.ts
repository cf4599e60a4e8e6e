import type { RunningCount } from '../../core/running-counts.js';
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
    const query = without([...types.keys()]);
    const page = await listRunningPage(target, namespace, PAGE_SIZE, query);
    const found = new Set(page.map(({ type }) => type).filter((type) => !types.has(type)));
    if (found.size === 0) break;
    for (const type of found) {
      types.set(type, await countRunning(target, namespace, `${RUNNING_QUERY} AND WorkflowType = ${quoted(type)}`));
    }
  }
  return { running, types: Object.fromEntries(types) };
}

function without(types: readonly string[]): string {
  return types.length === 0
    ? RUNNING_QUERY
    : `${RUNNING_QUERY} AND WorkflowType NOT IN (${types.map(quoted).join(', ')})`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
