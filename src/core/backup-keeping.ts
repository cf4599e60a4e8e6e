import type { Target } from './input/input.js';
import { STORE_PARTS, type StorePart } from './stores.js';

/** How a backup of a target is kept beside its file: encrypted or not, and where else; `store` as its result names it. */
export function backupKeeping({ backups = {}, stores }: Pick<Target, 'backups' | 'stores'>, store: string): string {
  const part = STORE_PARTS.find((each) => each === store);
  if (part !== undefined) {
    if (backups.snapshots?.[part] !== undefined) return 'a snapshot, taken by a command; the file says which';
    const repository = repositoryOf(stores[part]);
    if (repository !== undefined) return `a snapshot in the repository ${repository}; the file says which`;
  }
  const { encryption, objectStore } = backups;
  const encrypted = encryption === undefined ? 'not encrypted' : 'encrypted';
  if (objectStore === undefined) return encrypted;
  const { endpoint, region, bucket, prefix, keepLocal } = objectStore;
  return `${encrypted}; ${keepLocal ? 'also' : 'only'} in ${bucket}/${prefix} of ${endpoint ?? `S3 in ${region}`}`;
}

function repositoryOf(store: Target['stores'][StorePart]): string | undefined {
  return store !== undefined && 'snapshotRepository' in store ? store.snapshotRepository : undefined;
}
