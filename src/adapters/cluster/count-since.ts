import type { NamespaceLoss } from '../../core/restoring/restore-loss.js';
import { LOCK_NAMESPACE } from './cluster-lock.js';
import { countRunning, listNamespaces, RUNNING_QUERY } from './target-cluster.js';
import type { TargetConnection } from './target-connection.js';

/** On SQL stores the close of a run that has not closed is the end of all time (9999). */
const END = '9000-01-01T00:00:00Z';

/** What was started, closed and running since `at` (ISO 8601) by namespace, as visibility counts; without those of `exclude`. */
export async function countSince(
  target: TargetConnection,
  at: string,
  exclude: readonly string[] = [],
): Promise<NamespaceLoss[]> {
  const counts: NamespaceLoss[] = [];
  for (const { name } of await listNamespaces(target)) {
    if (name === LOCK_NAMESPACE || exclude.includes(name)) continue;
    const before = `StartTime <= "${at}"`;
    const closed = `CloseTime > "${at}" AND CloseTime < "${END}"`;
    counts.push({
      namespace: name,
      started: await countRunning(target, name, `StartTime > "${at}"`),
      closed: await countRunning(target, name, `${closed} AND ${before}`),
      running: await countRunning(target, name, `${RUNNING_QUERY} AND ${before}`),
    });
  }
  return counts;
}
