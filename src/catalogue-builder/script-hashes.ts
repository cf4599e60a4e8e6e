import { createHash } from 'node:crypto';
import { compareVersions } from '../core/version.js';
import { splitStatements } from './split-statements.js';
import type { VersionedScripts } from './versioned-scripts.js';

/**
 * Hash of what a step does: its statements, without comments and with all white space alike. Twelve hexadecimal digits:
 * they tell a handful of texts apart, and nobody has a reason to forge one.
 */
export function hashScripts({ scripts }: Pick<VersionedScripts, 'scripts'>): string {
  const statements = scripts.flatMap(splitStatements).map((statement) => statement.replace(/\s+/g, ' '));
  return createHash('sha256').update(JSON.stringify(statements)).digest('hex').slice(0, 12);
}

/** From which release on a step had which hash, such as `1.30.0 3fa9c1d2aa07, 1.30.5 77ab01ce93f1`, in order of versions. */
export type HashHistory = string;

interface Entry {
  readonly from: string;
  readonly hash: string;
}

/** The hash that a step had in the newest release below `version`; undefined when none had the step. */
export function hashBefore(history: HashHistory | undefined, version: string): string | undefined {
  return entriesOf(history).findLast(({ from }) => compareVersions(from, version) < 0)?.hash;
}

/** The hash that a step has in `version`, as far as it was read; undefined when it came later. */
export function hashAt(history: HashHistory | undefined, version: string): string | undefined {
  return entriesOf(history).findLast(({ from }) => compareVersions(from, version) <= 0)?.hash;
}

/** The history with the hash of one more release. `next` is the known release after it, which keeps the hash it had. */
export function noteHash(
  history: HashHistory | undefined,
  { version, hash, next }: { readonly version: string; readonly hash: string; readonly next: string | undefined },
): HashHistory {
  if (hashAt(history, version) === hash) return history ?? '';
  const hashOfNext = next === undefined ? undefined : hashAt(history, next);
  const rest = entriesOf(history).filter(({ from }) => from !== version && from !== next);
  const entries = [...rest, { from: version, hash }];
  if (next !== undefined && hashOfNext !== undefined) entries.push({ from: next, hash: hashOfNext });
  return write(entries);
}

function entriesOf(history: HashHistory | undefined): Entry[] {
  return (history ?? '')
    .split(', ')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [from = '', hash = ''] = entry.split(' ');
      return { from, hash };
    });
}

function write(entries: readonly Entry[]): HashHistory {
  const sorted = entries.toSorted((a, b) => compareVersions(a.from, b.from));
  return sorted
    .filter(({ hash }, index) => sorted[index - 1]?.hash !== hash)
    .map(({ from, hash }) => `${from} ${hash}`)
    .join(', ');
}
