import { setTimeout as sleep } from 'node:timers/promises';
import type { QueueFacts, RunFacts } from '../../core/running-work/run-facts.js';
import type { StuckRun } from '../../core/running-work/running-counts.js';
import { findOverdue, findStuck, type Stuck } from '../../core/running-work/stuck.js';
import type { Work } from '../store.js';
import { readQueue } from './read-queue.js';
import { readRun, withHistory, type Run } from './read-run.js';
import { readClusterInfo, type RunId } from './target-cluster.js';
import type { TargetConnection } from './target-connection.js';

/** Enough names for anybody; the rest would only be more of the same. */
const MOST = 1_000;
const LOOK_AGAIN_MS = 15_000;

export interface StuckRunsOptions {
  /** See `OVERDUE_MS` of core/running-work/stuck.ts. */
  readonly overdueMs?: number | undefined;
  /** Time between the two looks that have to agree. */
  readonly lookAgainMs?: number;
}

interface Suspect {
  readonly namespace: string;
  readonly id: RunId;
  readonly stuck: Stuck;
}

/** Looks for runs that should have gone on and did not: first at each by itself, then again at those that seem stuck. */
export class StuckRunFinder {
  readonly #suspects: Suspect[] = [];
  readonly #isActive = new Map<string, Promise<boolean>>();
  #queues = new Map<string, Promise<QueueFacts>>();
  #historiesUnread = 0;

  constructor(
    readonly target: TargetConnection,
    readonly options: StuckRunsOptions = {},
  ) {}

  /** Runs whose history was too long to look for timers in it. */
  get historiesUnread(): number {
    return this.#historiesUnread;
  }

  /** Remembers `id` when it seems stuck; `run` is what was just read of it. */
  async look(namespace: string, id: RunId, run: Run): Promise<void> {
    if (run.facts === null || this.#suspects.length >= MOST || !(await this.#activeHere(namespace))) return;
    const whole = await withHistory(this.target, namespace, { id, run: { ...run, facts: run.facts } });
    if (whole === undefined) this.#historiesUnread += 1;
    const stuck = await this.#judge(namespace, whole ?? run.facts);
    if (stuck !== undefined) this.#suspects.push({ namespace, id, stuck });
  }

  /** Those that a second look, some seconds later, finds waiting for the very same thing; the longest waiting first. */
  async confirm({ signal }: Work = {}): Promise<StuckRun[]> {
    if (this.#suspects.length === 0) return [];
    await sleep(this.options.lookAgainMs ?? LOOK_AGAIN_MS, undefined, { signal });
    this.#queues = new Map();
    const confirmed: Suspect[] = [];
    for (const suspect of this.#suspects) {
      signal?.throwIfAborted();
      if (await this.#isStillStuck(suspect)) confirmed.push(suspect);
    }
    return confirmed
      .toSorted((a, b) => a.stuck.dueAt - b.stuck.dueAt)
      .map(({ namespace, id: { workflowId, runId }, stuck: { why, dueAt } }) => {
        return { namespace, workflowId, runId, why, since: new Date(dueAt).toISOString() };
      });
  }

  async #isStillStuck({ namespace, id, stuck }: Suspect): Promise<boolean> {
    const run = await readRun(this.target, namespace, id);
    if (run.facts === null) return false;
    const whole = await withHistory(this.target, namespace, { id, run: { ...run, facts: run.facts } });
    const again = await this.#judge(namespace, whole ?? run.facts);
    return again?.rule === stuck.rule && again.dueAt === stuck.dueAt;
  }

  async #judge(namespace: string, run: RunFacts): Promise<Stuck | undefined> {
    const look = { now: Date.now(), overdueMs: this.options.overdueMs };
    const queues = new Map<string, QueueFacts>();
    for (const { queue } of findOverdue(run, look).byQueue) queues.set(queue, await this.#queueFacts(namespace, queue));
    return findStuck(run, queues, look);
  }

  #queueFacts(namespace: string, key: string): Promise<QueueFacts> {
    const place = JSON.stringify([namespace, key]);
    const [kind = '', ...rest] = key.split('/');
    const queue = { kind: kind === 'activity' ? 'activity' : 'workflow', name: rest.join('/') } as const;
    const facts = this.#queues.get(place) ?? readQueue(this.target, namespace, queue);
    this.#queues.set(place, facts);
    return facts;
  }

  /** Where a replicated namespace is not active, its workflows only stand by. */
  #activeHere(namespace: string): Promise<boolean> {
    const known = this.#isActive.get(namespace) ?? isActive(this.target, namespace);
    this.#isActive.set(namespace, known);
    return known;
  }
}

async function isActive(target: TargetConnection, namespace: string): Promise<boolean> {
  const { isGlobalNamespace, replicationConfig } = await target.ask(`describing namespace ${namespace}`, () =>
    target.grpc.workflowService.describeNamespace({ namespace }),
  );
  if (!isGlobalNamespace) return true;
  return replicationConfig?.activeClusterName === (await readClusterInfo(target)).clusterName;
}
