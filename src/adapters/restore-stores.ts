import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PreconditionError } from '../core/errors.js';
import type { Target } from '../core/input/input.js';
import { mapStoresInTurn, ofPart, partsIn, type PerStore } from '../core/stores.js';
import type { BackupManifest } from './backup-manifest.js';
import type { OpenTarget } from './open-target.js';
import type { RestoreOrder } from './store-restore.js';
import type { Work } from './store.js';

/** A connection of a server that has ended is seen by its database for a moment longer. */
const SESSIONS_END_WITHIN_MS = 60_000;
const LOOK_AGAIN_MS = 1_000;

/** Which backups the stores of a target go back to. */
export type RestoreOrders = PerStore<RestoreOrder>;

export interface RestoredStores {
  /** When the backup of the default store was taken, ISO 8601: the state that the target is in now. */
  readonly backupAt: string;
  /** Where what was there before is kept, by store: a database, or the file of a backup. */
  readonly kept: PerStore<string>;
  /** Rows of visibility that the default store does not know, and those that were set to what it says. */
  readonly removed: number;
  readonly corrected: number;
}

/** Reads all of each backup again. @throws PreconditionError when one is not what its order says */
export async function checkBackups(
  { stores }: OpenTarget,
  orders: RestoreOrders,
  work: Work,
): Promise<PerStore<BackupManifest>> {
  return mapStoresInTurn(stores, (store, part) => store.restore.checkBackup(ofPart(orders, part), work));
}

/**
 * Puts all databases back to their backups, visibility in step with the default store: runs that the servers have to write
 * anew are listed in `listFile`. Killed on any line, it is run again and does the rest.
 * @throws PreconditionError, also when a server of the target runs
 */
export async function restoreStores(
  target: Target,
  opened: OpenTarget,
  { orders, listFile }: { readonly orders: RestoreOrders; readonly listFile: string },
  work: Work,
): Promise<RestoredStores> {
  await requireStopped(target, opened);
  const { stores } = opened;
  const manifests = await mapStoresInTurn(stores, (store, part) => store.restore.bring(ofPart(orders, part), work));
  await mkdir(dirname(listFile), { recursive: true });
  const changed = { removed: 0, corrected: 0 };
  for (const part of partsIn(stores).filter((each) => each !== 'default')) {
    const { removed, corrected } = await stores.default.restore.withRuns(orders.default, (runs) =>
      ofPart(stores, part).restore.bringInStep(ofPart(orders, part), { runs, listFile }, work),
    );
    changed.removed += removed;
    changed.corrected += corrected;
  }
  // Whatever is killed between two of them: nobody looks at any before all are there.
  const kept = await mapStoresInTurn(stores, (store, part) => store.restore.takePlace(ofPart(orders, part), work));
  await requireSchema(target, opened, orders);
  return { backupAt: manifests.default.takenAt, kept, ...changed };
}

/** @throws PreconditionError naming the servers that run */
export async function requireStopped({ name }: Target, { driver }: OpenTarget): Promise<void> {
  const running = (await driver.listNodes()).filter((node) => node.running);
  if (running.length === 0) return;
  const names = running.map((node) => node.name).join(', ');
  throw new PreconditionError(
    `${names} of ${name} runs; nothing is restored under a server. Stop all, then try again`,
    {
      nodes: running.map((node) => node.name),
    },
  );
}

/** Waits until nobody else is connected to the databases. @throws PreconditionError that names who is, after a minute */
export async function waitUntilAlone({ name }: Target, { stores }: OpenTarget, work: Work): Promise<void> {
  const end = Date.now() + SESSIONS_END_WITHIN_MS;
  for (;;) {
    work.signal?.throwIfAborted();
    const others: string[] = [];
    for (const part of partsIn(stores)) {
      const sessions = await ofPart(stores, part).restore.listSessions();
      others.push(...sessions.map((line) => `${part}: ${line}`));
    }
    if (others.length === 0) return;
    if (Date.now() > end) {
      throw new PreconditionError(
        [`others are connected to the databases of ${name}, whose servers are all stopped; end them:`, ...others].join(
          '\n',
        ),
        { others },
      );
    }
    work.onProgress?.(`waiting until ${others.length} connections to the databases have ended`);
    await sleep(LOOK_AGAIN_MS, undefined, { signal: work.signal });
  }
}

async function requireSchema({ name }: Target, { stores }: OpenTarget, orders: RestoreOrders): Promise<void> {
  for (const part of partsIn(stores)) {
    const found = await ofPart(stores, part).readSchemaVersion();
    const { schema } = ofPart(orders, part);
    if (found === schema) continue;
    throw new PreconditionError(`the ${part} schema of ${name} is ${found} after the restore, not ${schema}`);
  }
}
