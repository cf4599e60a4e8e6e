import { connectTo } from '../adapters/connect.js';
import { messageOf } from '../core/errors.js';
import type { Connection as ConnectionInput, LoadPolicy } from '../core/input/input.js';
import { forEachAtOnce } from '../adapters/at-once.js';
import { ensureCanaryNamespace } from './canary-namespace.js';
import { CanaryTarget, longCanaryIdOf } from './canary-target.js';
import { Ledger, type CanaryRow } from './ledger.js';
import { canaryCommand } from './start-command.js';

const AT_ONCE = 16;

export interface LongCanaryOptions {
  readonly connection: ConnectionInput;
  readonly policy: LoadPolicy;
  readonly ledgerFile: string;
  readonly loadId: string;
  /** Names the hop; part of the workflow ids, so that each hop has its own. */
  readonly hop: string;
  /** How many; as many as the policy says when left out. */
  readonly count?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Starts the long canaries of a hop, as many as asked for; those that are there already stay as they are. Calls the
 * target itself, beside the generator: killed in the middle, it is run again and does the rest.
 * @throws when a call fails after the SDK's retries; it is counted, and the next run tries again
 */
export async function startLongCanaries(options: LongCanaryOptions): Promise<{ readonly started: number }> {
  const { loadId, hop, policy, count = policy.longRunning } = options;
  return withTarget(options, async (ledger, target) => {
    await ensureCanaryNamespace(target.connection, policy.namespace, options.signal);
    const intendedAt = Date.now();
    const command = canaryCommand(policy.namespace, loadId);
    ledger.inTransaction(() => {
      for (let number = 0; number < count; number += 1) {
        const workflowId = longCanaryIdOf(loadId, hop, number);
        ledger.intend({ workflowId, number, kind: 'long', command, hop, intendedAt, dueAt: null });
      }
    });
    const intended = ledger.longCanaries(hop);
    await forEachAtOnce(intended, { atOnce: AT_ONCE, signal: options.signal }, async (canary) => {
      if (canary.startedAt !== null) return;
      const runId = await counted(ledger, 'start', canary, () => target.start(canary));
      ledger.confirmStart(canary.row, { runId, at: Date.now(), dueAt: null });
    });
    return { started: intended.length };
  });
}

/** Lets the long canaries of a hop end. Safe to repeat: the target keeps each release once. @throws as the start does */
export async function releaseLongCanaries(options: LongCanaryOptions): Promise<{ readonly released: number }> {
  return withTarget(options, async (ledger, target) => {
    const started = ledger.longCanaries(options.hop).filter(({ startedAt }) => startedAt !== null);
    await forEachAtOnce(started, { atOnce: AT_ONCE, signal: options.signal }, async (canary) => {
      if (canary.readyAt !== null) return;
      const { taken } = await counted(ledger, 'signal', canary, () => target.call(canary, 0));
      ledger.confirmCall(canary.row, { callsDone: taken ? 1 : 0, at: Date.now(), dueAt: null });
    });
    return { released: started.length };
  });
}

async function withTarget<T>(
  options: LongCanaryOptions,
  work: (ledger: Ledger, target: CanaryTarget) => Promise<T>,
): Promise<T> {
  const connection = await connectTo(options.connection);
  try {
    using ledger = new Ledger(options.ledgerFile, options.loadId);
    return await work(ledger, new CanaryTarget(connection, options.loadId));
  } finally {
    await connection.close();
  }
}

async function counted<T>(
  ledger: Ledger,
  call: 'start' | 'signal',
  { workflowId }: CanaryRow,
  make: () => Promise<T>,
): Promise<T> {
  try {
    return await make();
  } catch (error) {
    ledger.recordFailedCall({ at: Date.now(), call, workflowId, reason: messageOf(error) });
    throw error;
  }
}
