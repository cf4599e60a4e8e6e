import { condition, defineQuery, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';
import type { MarcherActivities } from './marchers.js';

const { visit } = proxyActivities<MarcherActivities>({ startToCloseTimeout: '30s' });

export const stepSignal = defineSignal<[string]>('step');
export const visitedQuery = defineQuery<readonly string[]>('visited');

/**
 * A workflow of somebody else that lives through every version: each signal names one, and an activity answers it. It ends
 * with the version `last`, and returns all that came, in the order in which it came: a signal that was lost, came twice or
 * too early shows.
 */
export async function marcher(last: string): Promise<readonly string[]> {
  const arrived: string[] = [];
  const visited: string[] = [];
  setHandler(stepSignal, (version) => void arrived.push(version));
  setHandler(visitedQuery, () => visited);
  while (!arrived.includes(last) || visited.length < arrived.length) {
    await condition(() => visited.length < arrived.length);
    visited.push(await visit(arrived[visited.length] ?? ''));
  }
  return visited;
}
