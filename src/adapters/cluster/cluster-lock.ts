import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { z } from 'zod';
import type { TargetConnection } from './target-connection.js';

/** Workflow id, type and task queue of the lock. No worker ever polls that queue. */
export const LOCK_ID = 'temporal-upgrade-lock';
/** Where it is kept: the one namespace that every cluster has. */
export const LOCK_NAMESPACE = 'temporal-system';
/** Its first workflow task would come then; so there is never a task waiting that would look like a backlog. */
const START_DELAY = '3650 days';

/** Which roll-out holds a cluster. */
export const LockHolder = z.object({
  controlPlaneClusterId: z.string(),
  controlPlaneNamespace: z.string(),
  workflowId: z.string(),
  firstRunId: z.string(),
  /** Who started the roll-out, for people; takes no part in comparing holders. */
  startedBy: z.string().optional(),
});
export type LockHolder = z.infer<typeof LockHolder>;

export type ClaimResult =
  | { readonly claimed: true }
  | { readonly claimed: false; readonly holder: LockHolder | 'unknown'; readonly message: string };

/**
 * Takes the cluster for one roll-out. The lock is a workflow execution in the target itself, so it is one for all control
 * planes, and the target's server decides who was first. Claiming again what is held already changes nothing.
 * @throws PreconditionError when the credentials may not start workflows in `temporal-system`
 */
export async function claim(target: TargetConnection, holder: LockHolder): Promise<ClaimResult> {
  const client = target.client(LOCK_NAMESPACE);
  for (;;) {
    const started = await target.ask('claiming the cluster', () => startLock(client, holder));
    if (started) return { claimed: true };
    const current = await readClaim(target);
    if (current === undefined) continue; // given back in between
    if (current !== 'unknown' && isSameHolder(current, holder)) return { claimed: true };
    return { claimed: false, holder: current, message: describeClaim(current, target.address) };
  }
}

async function startLock(client: Client, holder: LockHolder): Promise<boolean> {
  try {
    await client.workflow.start(LOCK_ID, {
      workflowId: LOCK_ID,
      taskQueue: LOCK_ID,
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      startDelay: START_DELAY,
      memo: { holder },
      staticSummary: `cluster is being upgraded by ${holder.workflowId}`,
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** Who holds the cluster: undefined when nobody does, `unknown` when the lock is not one that this version wrote. */
export async function readClaim(target: TargetConnection): Promise<LockHolder | 'unknown' | undefined> {
  return (await readLock(target))?.holder;
}

/** Gives the cluster back when `holder` has it; does nothing otherwise. Returns whether it did. */
export async function release(target: TargetConnection, holder: LockHolder): Promise<boolean> {
  const lock = await readLock(target);
  if (lock === undefined || lock.holder === 'unknown' || !isSameHolder(lock.holder, holder)) return false;
  return target.ask('giving the cluster back', async () => {
    try {
      // That run and no other: by now the lock may be someone else's.
      await target.client(LOCK_NAMESPACE).workflow.getHandle(LOCK_ID, lock.runId).terminate('the roll-out is over');
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  });
}

async function readLock(
  target: TargetConnection,
): Promise<{ readonly runId: string; readonly holder: LockHolder | 'unknown' } | undefined> {
  return target.ask('reading who upgrades the cluster', async () => {
    try {
      const lock = await target.client(LOCK_NAMESPACE).workflow.getHandle(LOCK_ID).describe();
      if (lock.status.name !== 'RUNNING') return undefined;
      const holder = LockHolder.safeParse(lock.memo?.['holder']);
      return { runId: lock.runId, holder: holder.success ? holder.data : 'unknown' };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  });
}

function isSameHolder(a: LockHolder, b: LockHolder): boolean {
  return (
    a.controlPlaneClusterId === b.controlPlaneClusterId &&
    a.controlPlaneNamespace === b.controlPlaneNamespace &&
    a.workflowId === b.workflowId &&
    a.firstRunId === b.firstRunId
  );
}

/** Says who holds a cluster, and how a person takes the lock away when that roll-out is gone for good. */
export function describeClaim(holder: LockHolder | 'unknown', address: string): string {
  const who =
    holder === 'unknown'
      ? 'something that this version does not know'
      : `roll-out ${holder.workflowId} (first run ${holder.firstRunId}) of namespace ${holder.controlPlaneNamespace}` +
        (holder.startedBy === undefined ? '' : `, started by ${holder.startedBy}`);
  return (
    `the cluster at ${address} is being upgraded by ${who}; wait until it is over. If it is gone for good, take the lock ` +
    `away: temporal workflow terminate --address ${address} --namespace ${LOCK_NAMESPACE} --workflow-id ${LOCK_ID} ` +
    '--reason "its roll-out is gone"'
  );
}
