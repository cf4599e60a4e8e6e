import type { Connection } from '@temporalio/client';
import { isRefusalToCount } from '../adapters/cluster/target-cluster.js';
import { connectTo } from '../adapters/connect.js';
import type { LoadPolicy, OwnWorkflow } from '../core/input/input.js';

/** How many executions are looked at in each namespace to learn which types there are. */
const PAGES = 4;
const PAGE = 1_000;
const DAY_MS = 24 * 3_600_000;
/** For all that is asked of one namespace. */
const NAMESPACE_DEADLINE_MS = 5 * 60_000;

/** How often each workflow type was started. */
export type TypeCounts = Readonly<Record<string, number>>;

export interface CopiedMix {
  /** By workflow type of the operator's own; together they are 1. */
  readonly weights: Readonly<Record<string, number>>;
  readonly leftOut: readonly string[];
}

/** The mix of another cluster, as far as the profile says how its types are started. @throws when it cannot be asked */
export async function copyMix(
  from: NonNullable<LoadPolicy['copyMixOf']>,
  own: readonly OwnWorkflow[],
): Promise<CopiedMix> {
  const connection = await connectTo(from.connection);
  try {
    const counts: Record<string, number> = {};
    for (const namespace of from.namespaces) {
      const deadline = Date.now() + NAMESPACE_DEADLINE_MS;
      const found = await connection.withDeadline(deadline, () => countTypes(connection, namespace));
      for (const [type, count] of Object.entries(found)) counts[type] = (counts[type] ?? 0) + count;
    }
    return weighByCounts(counts, own);
  } finally {
    await connection.close();
  }
}

/** Weights by counts. A type without a start, and a start without a type, are named, not passed over. */
export function weighByCounts(counts: TypeCounts, own: readonly Pick<OwnWorkflow, 'workflowType'>[]): CopiedMix {
  const startable = new Set(own.map(({ workflowType }) => workflowType));
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const known = Object.entries(counts).filter(([type, count]) => startable.has(type) && count > 0);
  const total = known.reduce((sum, [, count]) => sum + count, 0);
  const unknown = Object.entries(counts).filter(([type, count]) => !startable.has(type) && count > 0);
  return {
    weights: Object.fromEntries(known.map(([type, count]) => [type, count / total])),
    leftOut: [
      ...unknown
        .sort(([, a], [, b]) => b - a)
        .map(([type, count]) => `${type} (${percent(count / all)} of the copied mix; \`own\` has no start for it)`),
      ...[...startable]
        .filter((type) => !Object.hasOwn(counts, type) || counts[type] === 0)
        .map((type) => `${type} (not started in the copied mix in the last day)`),
    ],
  };
}

/**
 * Types started in the last day: found among the newest executions, and then counted, each with a query of its own. Standard
 * visibility of servers up to 1.23 takes no other condition on the start than this one, and does not count: there the newest
 * executions stand for all.
 */
async function countTypes(connection: Connection, namespace: string): Promise<TypeCounts> {
  const [from, until] = [-DAY_MS, DAY_MS].map((offset) => new Date(Date.now() + offset).toISOString());
  const since = `StartTime BETWEEN '${from}' AND '${until}'`;
  const types = new Map<string, number>();
  let nextPageToken: Uint8Array | null = null;
  for (let page = 0; page < PAGES; page += 1) {
    const { executions, nextPageToken: next }: Listed = await connection.workflowService.listWorkflowExecutions({
      namespace,
      pageSize: PAGE,
      query: since,
      nextPageToken,
    });
    for (const { type } of executions) types.set(type?.name ?? '', (types.get(type?.name ?? '') ?? 0) + 1);
    if (next.length === 0) break;
    nextPageToken = next;
  }
  const counts: Record<string, number> = {};
  for (const [type, listed] of types) {
    const query = `WorkflowType = '${type.replaceAll("'", "''")}' AND ${since}`;
    try {
      const { count } = await connection.workflowService.countWorkflowExecutions({ namespace, query });
      counts[type] = Number(count);
    } catch (error) {
      if (!isRefusalToCount(error)) throw error;
      counts[type] = listed;
    }
  }
  return counts;
}

type Listed = Awaited<ReturnType<Connection['workflowService']['listWorkflowExecutions']>>;

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
