import type { NamespaceLoss } from '../../core/restoring/restore-loss.js';
import { LOCK_NAMESPACE } from './cluster-lock.js';
import { momentOf } from './proto-time.js';
import { countMatching, listNamespaces, listPages, RUNNING_QUERY } from './target-cluster.js';
import type { TargetConnection } from './target-connection.js';

/** On SQL stores the close of a run that has not closed is the end of all time (9999). */
const END = '9000-01-01T00:00:00Z';

/** What was started, closed and running since `at` (ISO 8601) by namespace, as visibility tells; without those of `exclude`. */
export async function countSince(
  target: TargetConnection,
  at: string,
  exclude: readonly string[] = [],
): Promise<NamespaceLoss[]> {
  const counts: NamespaceLoss[] = [];
  for (const { name } of await listNamespaces(target)) {
    if (name === LOCK_NAMESPACE || exclude.includes(name)) continue;
    const counted = (await byCounting(target, name, at)) ?? (await byListing(target, name, at));
    counts.push({ namespace: name, ...counted });
  }
  return counts;
}

type Counted = Omit<NamespaceLoss, 'namespace'>;

async function byCounting(target: TargetConnection, namespace: string, at: string): Promise<Counted | undefined> {
  const count = (query: string) => countMatching(target, namespace, query);
  const before = `StartTime <= "${at}"`;
  const started = await count(`StartTime > "${at}"`);
  if (started === undefined) return undefined;
  const closed = await count(`CloseTime > "${at}" AND CloseTime < "${END}" AND ${before}`);
  const running = await count(`${RUNNING_QUERY} AND ${before}`);
  return { started, closed: closed ?? 0, running: running ?? 0 };
}

/** Standard visibility can be asked for neither counts nor close times: every run that it keeps is looked at. */
async function byListing(target: TargetConnection, namespace: string, at: string): Promise<Counted> {
  const moment = Date.parse(at);
  const counted = { started: 0, closed: 0, running: 0 };
  for await (const page of listPages(target, { namespace, query: '' })) {
    for (const { startTime, closeTime } of page) {
      const closedAt = momentOf(closeTime);
      if ((momentOf(startTime) ?? 0) > moment) counted.started += 1;
      else if (closedAt === null) counted.running += 1;
      else if (closedAt > moment) counted.closed += 1;
    }
  }
  return counted;
}
