import type { Finding } from '../finding.js';
import { valueOf } from '../survey/seen.js';
import type { TableSize } from '../survey/store-survey.js';
import type { Check } from '../survey/survey.js';
import { type ReachedStore, sizeText, soundStores, unseenFinding } from './about-store.js';
import { wordsFor } from './database-words.js';

/** The disk of the database has room for the tables that the hop rewrites. */
export const rewriteSpace: Check = (survey, context) =>
  soundStores(survey, context).flatMap((reached): Finding[] => {
    const rewrites = (reached.store.scripts && valueOf(reached.store.scripts)?.rewrites) ?? [];
    const largest = rewrites.toSorted((a, b) => total(b) - total(a))[0];
    if (largest === undefined) return [];
    return [...rewrites.map((table) => rewriteNote(reached, table)), ...room(reached, largest)];
  });

function total({ tableBytes, indexBytes }: TableSize): number {
  return tableBytes + indexBytes;
}

function rewriteNote(
  { name, store }: ReachedStore,
  { table, tableBytes, indexBytes, estimatedRows }: TableSize,
): Finding {
  const rows = estimatedRows === undefined ? 'an unknown number of rows' : `about ${estimatedRows} rows`;
  return {
    id: 'table-rewrite',
    severity: 'note',
    found: `the hop rewrites ${table} of ${name} under an exclusive lock: ${rows}, ${sizeText(tableBytes)} and ${sizeText(indexBytes)} of indexes`,
    source: wordsFor(store).rewriteSource,
  };
}

/** One rewrite is done, and its old copy gone, before the next begins. */
function room({ name, store }: ReachedStore, largest: TableSize): Finding[] {
  const needed = total(largest);
  if ('unseen' in store.disk) {
    return [
      unseenFinding('rewrite-space-unseen', 'warn', {
        what: `free disk below ${name}`,
        reason: store.disk.unseen,
        action: `See on the host of the database that more than ${sizeText(needed)} are free for the rewrite of ${largest.table}, and room for as much in its write-ahead log`,
      }),
    ];
  }
  const { path, freeBytes } = store.disk.seen;
  if (freeBytes > needed) return [];
  return [
    {
      id: 'rewrite-space-missing',
      severity: 'block',
      found: `${path}, where ${name} keeps its files, has ${sizeText(freeBytes)} (${freeBytes} bytes) free`,
      expected: `more than ${sizeText(needed)} (${needed} bytes) for the rewrite of ${largest.table}; its write-ahead log comes on top`,
      action: 'Free space, or make the disk larger',
      source: wordsFor(store).rewriteSource,
    },
  ];
}
