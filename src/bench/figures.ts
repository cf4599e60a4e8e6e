import type { MeasuredRollout } from './measure-rollout.js';

/** A number that the project promises to keep below its goal. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** Highest value that will do. */
  readonly goal: number;
  /** The value, and what it is to be seen against, measured in the same run. */
  readonly read: (measured: MeasuredRollout) => { readonly value: number; readonly anchor: string };
}

const MIB = 1024 * 1024;

export const FIGURES: readonly Figure[] = [
  {
    name: 'orchestration-overhead',
    unit: 'ratio',
    goal: 0.1,
    read: ({ hopSeconds, byHandSeconds }) => ({
      value: round(hopSeconds / byHandSeconds - 1, 3),
      anchor: `the hop took ${round(hopSeconds, 1)} s; its tools, processes and waits alone ${round(byHandSeconds, 1)} s`,
    }),
  },
  {
    name: 'history-events-per-hop',
    unit: 'events',
    goal: 250,
    read: ({ historyEvents }) => ({
      value: Math.max(...historyEvents.map(({ events }) => events)),
      anchor: historyEvents.map(({ hop, nodes, events }) => `${hop} with ${nodes} nodes: ${events}`).join(', '),
    }),
  },
  {
    name: 'worker-memory',
    unit: 'MiB',
    goal: 400,
    read: ({ workerPeakBytes }) => ({
      value: round(workerPeakBytes / MIB, 1),
      anchor: 'peak resident memory of the worker process over the whole roll-out (VmHWM), load on staging included',
    }),
  },
];

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
