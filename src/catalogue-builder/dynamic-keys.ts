import { isWithin } from '../core/catalogue/dynamic-keys.js';
import { PreconditionError } from '../core/errors.js';
import { compareVersions, minorOf } from '../core/version.js';
import type { RawCatalogue } from './catalogue-json.js';
import type { ReleaseFiles } from './release-files.js';
import type { Report } from './report.js';

/** Where nearly all keys stand; it moved with 1.8. */
const CONSTANTS = /^common\/(service\/)?dynamicconfig\/constants\.go$/;
const KEY = '"([A-Za-z][\\w-]*(?:\\.[\\w-]+)+)"';

type RawDynamicKeys = NonNullable<RawCatalogue['dynamicKeys']>;

/**
 * Keys of the dynamic configuration: every dotted name in the file of constants, and since 1.25 what other files declare by
 * `dynamicconfig.New…Setting`. Keys without a dot are those of the server's own tests.
 * @throws PreconditionError when the file of constants is not there, or has no key
 */
export function readDynamicKeys(files: ReleaseFiles): string[] {
  const constants = [...files].filter(([path]) => CONSTANTS.test(path));
  const keys = constants.flatMap(([, text]) => matches(withoutComments(text), new RegExp(KEY, 'g')));
  if (keys.length === 0) throw new PreconditionError('common/dynamicconfig/constants.go names no key');
  const declared = [...files]
    .filter(([path]) => !CONSTANTS.test(path))
    .flatMap(([, text]) =>
      matches(text, new RegExp(`\\bdynamicconfig\\.New\\w+Setting\\w*(?:\\[[^\\]]*\\])?\\(\\s*${KEY}`, 'g')),
    );
  return [...new Set([...keys, ...declared])].toSorted();
}

/** Comments quote keys that are no more. Other slashes stand within text, after a quote or a letter. */
function withoutComments(text: string): string {
  return text.replace(/(^|\s)\/\/[^\n]*/g, '$1');
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([, key]) => key ?? []);
}

/** Notes which keys the minor of a release reads, unless a newer patch of it has spoken. */
export function noteDynamicKeys(
  catalogue: RawCatalogue,
  { version, dynamicKeys }: { readonly version: string; readonly dynamicKeys: readonly string[] },
  { added }: Pick<Report, 'added'>,
): void {
  const minor = minorOf(version);
  const before = catalogue.dynamicKeys ?? { readFrom: {}, spans: {} };
  const speaker = before.readFrom[minor];
  if (speaker !== undefined && compareVersions(speaker, version) >= 0) return;
  const readFrom = inOrder({ ...before.readFrom, [minor]: version }, compareVersions);
  const minors = Object.keys(readFrom);
  const isNewest = minors.at(-1) === minor;
  const now = new Map(dynamicKeys.map((key) => [key.toLowerCase(), key]));
  const spans: Record<string, string> = {};
  for (const [key, known] of Object.entries(before.spans)) {
    const spelling = now.get(key.toLowerCase());
    now.delete(key.toLowerCase());
    const reads = minors.map((each) => (each === minor ? spelling !== undefined : isWithin(known, each)));
    if (reads.includes(true)) spans[isNewest ? (spelling ?? key) : key] = spansOf(minors, reads);
  }
  for (const key of now.values()) spans[key] = minor;
  catalogue.dynamicKeys = { readFrom, spans: inOrder(spans) };
  added.push(...changesOf(before, { minor, speaker, dynamicKeys }));
}

/** In words: against the minor itself where it was read before, else against the one below. */
function changesOf(
  before: RawDynamicKeys,
  now: { readonly minor: string; readonly speaker: string | undefined; readonly dynamicKeys: readonly string[] },
): string[] {
  const below = Object.keys(before.readFrom).findLast((minor) => compareVersions(minor, now.minor) < 0);
  const other = now.speaker === undefined ? below : now.minor;
  const theirs = Object.keys(before.spans).filter(
    (key) => other !== undefined && isWithin(before.spans[key] ?? '', other),
  );
  const [old, fresh] = [inLowerCase(theirs), inLowerCase(now.dynamicKeys)];
  const gone = theirs.filter((key) => !fresh.has(key.toLowerCase()));
  const come = now.dynamicKeys.filter((key) => !old.has(key.toLowerCase()));
  const keys = `${now.dynamicKeys.length} keys of the dynamic configuration of ${now.minor}`;
  if (other === undefined) return [keys];
  if (come.length === 0 && gone.length === 0) return [];
  return [`${keys}: ${come.length} more and ${gone.length} fewer than ${now.speaker ?? other}`];
}

/** What the catalogue says otherwise of the release that speaks for its minor, one sentence each. */
export function checkDynamicKeys(
  { dynamicKeys: ours }: RawCatalogue,
  { version, dynamicKeys }: { readonly version: string; readonly dynamicKeys: readonly string[] },
): string[] {
  const minor = minorOf(version);
  if (ours?.readFrom[minor] !== version) return [];
  const known = Object.keys(ours.spans).filter((key) => isWithin(ours.spans[key] ?? '', minor));
  const [knownHere, read] = [inLowerCase(known), inLowerCase(dynamicKeys)];
  return [
    ...dynamicKeys
      .filter((key) => !knownHere.has(key.toLowerCase()))
      .map((key) => `dynamic configuration: the catalogue does not know ${key}`),
    ...known
      .filter((key) => !read.has(key.toLowerCase()))
      .map((key) => `dynamic configuration: ${key} of the catalogue is not in the release`),
  ];
}

/** Servers compare keys without regard to case. */
function inLowerCase(keys: readonly string[]): ReadonlySet<string> {
  return new Set(keys.map((key) => key.toLowerCase()));
}

/** Runs of minors that read the key: `1.0..1.8, 1.14`. */
function spansOf(minors: readonly string[], reads: readonly boolean[]): string {
  const runs: string[][] = [];
  minors.forEach((minor, index) => {
    if (reads[index] !== true) return;
    if (index > 0 && reads[index - 1] === true) runs.at(-1)?.push(minor);
    else runs.push([minor]);
  });
  return runs.map((run) => (run.length === 1 ? run[0] : `${run[0]}..${run.at(-1)}`)).join(', ');
}

function inOrder<T>(
  record: Readonly<Record<string, T>>,
  compare?: (a: string, b: string) => number,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(record).toSorted(([a], [b]) => (compare === undefined ? (a < b ? -1 : 1) : compare(a, b))),
  );
}
