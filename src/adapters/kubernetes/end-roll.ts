import { isHeld, nameOfWorkload, type Workload } from './workload.js';
import { waitUntilReady } from './change-operator.js';
import { patiently } from './api.js';
import type { Context } from './context.js';
import { findPods } from './find-workloads.js';
import { letGo } from './hold.js';

/**
 * After a roll, also one that ended in the middle: lets go of every workload whose pods are what its template says. One whose pods
 * are not would go on by itself, so it stays held, and is told of. @returns a line for each that stays held
 */
export async function endRoll(context: Context): Promise<string[]> {
  const { api, input, work } = context;
  const lines: string[] = [];
  for (const { workload, pods } of await patiently(() => findPods(api, input), work)) {
    if (!isHeld(workload)) continue;
    const others = pods.filter((pod) => pod.version !== workload.version);
    if (others.length === 0) await letGo(context, workload);
    else lines.push(leftHeld(workload, others.length, pods.length));
  }
  if (input.change.by === 'operator' && lines.length === 0) return waitUntilReady(context, input.change);
  return lines;
}

function leftHeld(workload: Workload, others: number, all: number): string {
  const name = nameOfWorkload(workload);
  return `${name} stays held: ${others} of its ${all} pods are not of ${workload.version ?? workload.image}, which its template has, and would be replaced at once; the next roll-out goes on from there`;
}
