import type { RunningCount } from '../../core/running-work/running-counts.js';
import { countMatching, listPages, listRunningPage, RUNNING_QUERY } from './target-cluster.js';
import type { TargetConnection } from './target-connection.js';

/** Types beyond these are counted with the namespace alone. */
const MOST_TYPES = 100;
const PAGE_SIZE = 200;

/** Counts running workflows of a namespace by type, as visibility does, or by listing all where it cannot count. */
export async function countRunningByType(target: TargetConnection, namespace: string): Promise<RunningCount> {
  return (await byCounting(target, namespace)) ?? (await byListing(target, namespace));
}

/** It lists none but a few: each page names types, and the next page is asked for without them. */
async function byCounting(target: TargetConnection, namespace: string): Promise<RunningCount | undefined> {
  const running = await countMatching(target, namespace, RUNNING_QUERY);
  if (running === undefined) return undefined;
  const types = new Map<string, number>();
  while (types.size < MOST_TYPES) {
    const page = await listRunningPage(target, namespace, PAGE_SIZE, without([...types.keys()]));
    const found = new Set(
      page.map(({ type }) => type).filter((type) => !types.has(type) && quoted(type) !== undefined),
    );
    if (found.size === 0) break;
    for (const type of found) {
      const query = `${RUNNING_QUERY} AND WorkflowType = ${quoted(type)}`;
      types.set(type, (await countMatching(target, namespace, query)) ?? 0);
    }
  }
  return { running, types: Object.fromEntries(types) };
}

async function byListing(target: TargetConnection, namespace: string): Promise<RunningCount> {
  let running = 0;
  const types = new Map<string, number>();
  for await (const page of listPages(target, { namespace, query: RUNNING_QUERY })) {
    running += page.length;
    for (const { type } of page) types.set(type?.name ?? '', (types.get(type?.name ?? '') ?? 0) + 1);
  }
  const most = [...types].sort(([, a], [, b]) => b - a).slice(0, MOST_TYPES);
  return { running, types: Object.fromEntries(most) };
}

function without(types: readonly string[]): string {
  if (types.length === 0) return RUNNING_QUERY;
  return `${RUNNING_QUERY} AND WorkflowType NOT IN (${types.map(quoted).join(', ')})`;
}

/** Undefined for a name that a query cannot hold: servers take a quote within it, escaped, and find nothing (seen on 1.31.2). */
function quoted(type: string): string | undefined {
  return /['"\\]/.test(type) ? undefined : `"${type}"`;
}
