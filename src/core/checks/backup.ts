import type { Finding } from '../finding.js';
import { valueOf } from '../survey/seen.js';
import type { Check, CheckContext } from '../survey/survey.js';
import { type ReachedStore, reachedStores, sizeText, stopsHop, SURVEY, unseenFinding } from './about-store.js';
import { wordsFor } from './database-words.js';

const SOURCE = 'estimate: a dump is compressed and holds no indexes, so it stays below the size of its database';

/** The backups of all stores fit into their folder, and there is a program that makes them. */
export const backups: Check = (survey, context) => {
  const stores = reachedStores(survey, context);
  const folders = Map.groupBy(stores, ({ store }) => store.backup.directory);
  return [...[...folders.values()].flatMap((group) => space(group, context)), ...programs(stores, context)];
};

function space(stores: readonly ReachedStore[], context: CheckContext): Finding[] {
  const directory = stores[0]?.store.backup.directory ?? '';
  const unsized = stores.flatMap(({ store, name }) =>
    'unseen' in store.bytes ? [{ name, reason: store.bytes.unseen }] : [],
  );
  const unseen = unsized.map(({ name, reason }) =>
    unseenFinding('backup-size-unseen', 'warn', {
      what: `size of ${name}`,
      reason,
      action: `See by hand that its backup fits into ${directory}`,
    }),
  );
  const reason = stores.map(({ store }) => store.backup.space).find((found) => 'unseen' in found);
  if (reason !== undefined && 'unseen' in reason) {
    return [
      ...unseen,
      {
        id: 'backup-folder-unusable',
        severity: stopsHop(context),
        found: `backup folder ${directory}: ${reason.unseen}`,
        expected: 'a folder that this worker can write',
        action: 'Make it writable, or name another as "backupDir"',
        source: SURVEY,
      },
    ];
  }
  const needed = sum(stores.map(({ store }) => (valueOf(store.bytes) ?? 0) * (store.backup.copies ?? 1)));
  const free = Math.min(...stores.map(({ store }) => valueOf(store.backup.space)?.freeBytes ?? 0));
  if (free >= needed) return unseen;
  return [
    ...unseen,
    {
      id: 'backup-space-missing',
      severity: stopsHop(context),
      found: `backup folder ${directory} has ${sizeText(free)} (${free} bytes) free`,
      expected: `${sizeText(needed)} (${needed} bytes) for the backups of ${stores.map(({ name }) => name).join(' and ')}`,
      action: 'Free space, or name a folder on another disk as "backupDir"',
      source: SOURCE,
    },
  ];
}

function programs(stores: readonly ReachedStore[], context: CheckContext): Finding[] {
  const missing = stores.flatMap(({ store: { backup, database }, name }) =>
    'unseen' in backup.program
      ? [{ name, reason: backup.program.unseen, source: wordsFor({ database }).dumpSource }]
      : [],
  );
  return [...Map.groupBy(missing, ({ reason }) => reason)].map(([reason, same]) => ({
    id: 'backup-program-missing',
    severity: stopsHop(context),
    found: `no program here backs up ${same.map(({ name }) => name).join(' and ')}: ${reason}`,
    expected: 'a program of the version of the database, or of a newer one',
    action: 'Install it on the host of this worker',
    source: same[0]?.source ?? SURVEY,
  }));
}

function sum(all: readonly number[]): number {
  return all.reduce((total, one) => total + one, 0);
}
