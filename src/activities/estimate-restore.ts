import { existsSync } from 'node:fs';
import { countSince } from '../adapters/cluster/count-since.js';
import { LOCK_NAMESPACE } from '../adapters/cluster/cluster-lock.js';
import { withTarget as withFrontend } from '../adapters/cluster/target-connection.js';
import type { OpenTarget } from '../adapters/open-target.js';
import type { LoadRequest, RestoreRequest } from '../contract/activities.js';
import { messageOf } from '../core/errors.js';
import { lossLines, type CanaryLoss, type NamespaceLoss } from '../core/restoring/restore-loss.js';
import { countUndone } from '../load/undo.js';
import { currentWork } from './guard.js';
import { ledgerFileOf } from './load.js';

interface Estimate {
  readonly opened: OpenTarget;
  readonly load?: LoadRequest | undefined;
  /** When the backup of the default store was taken, ISO 8601. */
  readonly backupAt: string;
}

/** What a restore would lose, in lines for people: asked of a frontend, or read from the tables where none answers. */
export async function estimateLoss(request: RestoreRequest, { opened, load, backupAt }: Estimate): Promise<string[]> {
  const { namespaces, countedBy } = await countLoss(request, { opened, at: backupAt });
  return lossLines({
    backupAt,
    countedAt: new Date().toISOString(),
    countedBy,
    namespaces,
    canaries: load === undefined ? undefined : canaryLoss(load, backupAt),
  });
}

async function countLoss(
  { target, canaryNamespaces = [] }: RestoreRequest,
  { opened, at }: { readonly opened: OpenTarget; readonly at: string },
): Promise<{ readonly namespaces: readonly NamespaceLoss[]; readonly countedBy: string }> {
  try {
    const namespaces = await withFrontend(target.connection, (frontend) => countSince(frontend, at, canaryNamespaces));
    return { namespaces, countedBy: 'by visibility' };
  } catch (error) {
    currentWork().signal?.throwIfAborted();
    const names = await opened.stores.default.restore.readNamespaceNames();
    const counted = await opened.stores.visibility.restore.countSince(at);
    const namespaces = counted
      .map(({ namespaceId, ...counts }) => ({ namespace: names.get(namespaceId) ?? namespaceId, ...counts }))
      .filter(({ namespace }) => namespace !== LOCK_NAMESPACE && !canaryNamespaces.includes(namespace));
    return { namespaces, countedBy: `in the tables, as no frontend told it (${messageOf(error)})` };
  }
}

function canaryLoss(load: LoadRequest, at: string): CanaryLoss | undefined {
  const file = ledgerFileOf(load);
  return existsSync(file) ? countUndone({ ledgerFile: file, loadId: load.loadId }, Date.parse(at)) : undefined;
}
