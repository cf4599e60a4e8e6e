import { isDeepStrictEqual } from 'node:util';
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document, type Pair, YAMLMap } from 'yaml';
import { PreconditionError } from '../../core/errors.js';

/** A key of the dynamic configuration and its value, without constraints. */
export interface Setting {
  readonly key: string;
  readonly value: string;
}

export interface Added {
  readonly text: string;
  readonly added: readonly Setting[];
  /** Keys that were there already, and stay as they are. */
  readonly kept: readonly string[];
}

export interface Removed {
  readonly text: string;
  readonly removed: readonly string[];
  /** Keys that have another value by now: somebody wants them so, and they stay. */
  readonly changed: readonly string[];
}

const MARK = ' Set by temporal-upgrade while servers are replaced; it takes this away again.';

/**
 * The text of a dynamic configuration with `settings` at its end; keys that are there stay, in any case of letters, as the
 * server compares them. Comments, order and the way values are written stay.
 * @throws PreconditionError when the text cannot be read, without any of it
 */
export function addSettings(file: string, text: string, settings: readonly Setting[]): Added {
  const document = read(file, text);
  const present = new Set(pairsOf(document).map(keyOf));
  const isKept = ({ key }: Setting) => present.has(key.toLowerCase());
  const added = settings.filter((setting) => !isKept(setting));
  const kept = settings.filter(isKept).map(({ key }) => key);
  if (added.length === 0) return { text, added, kept };
  document.contents ??= new YAMLMap();
  for (const [index, { key, value }] of added.entries()) {
    const pair = document.createPair(key, [{ value }]);
    if (index === 0 && isNode(pair.key)) pair.key.commentBefore = MARK;
    document.add(pair);
  }
  return { text: write(file, document, { before: text, keys: added }), added, kept };
}

/** The text without those of `settings` that still have the value given. @throws PreconditionError as `addSettings` */
export function removeSettings(file: string, text: string, settings: readonly Setting[]): Removed {
  const document = read(file, text);
  const present = pairsOf(document).flatMap((pair) =>
    settings.filter(({ key }) => key.toLowerCase() === keyOf(pair)).map((setting) => ({ pair, setting })),
  );
  const own = present.filter(({ pair, setting }) => isDeepStrictEqual(valueOf(pair), [{ value: setting.value }]));
  const changed = present.filter((one) => !own.includes(one)).map(({ setting }) => setting.key);
  const removed = own.map(({ setting }) => setting);
  if (own.length === 0) return { text, removed: [], changed };
  for (const { pair } of own) document.delete(pair.key);
  return {
    text: write(file, document, { before: text, keys: removed }),
    removed: removed.map(({ key }) => key),
    changed,
  };
}

/** The keys that stand in a dynamic configuration, as they are written. @throws PreconditionError as `addSettings` */
export function keysIn(file: string, text: string): string[] {
  return pairsOf(read(file, text)).flatMap(({ key }) => (isScalar(key) ? [String(key.value)] : []));
}

/**
 * All values that a key has in a dynamic configuration, with and without constraints, as they are written; none where it does
 * not stand there. @throws PreconditionError as `addSettings`
 */
export function valuesIn(file: string, text: string, key: string): unknown[] {
  return pairsOf(read(file, text))
    .filter((pair) => keyOf(pair) === key.toLowerCase())
    .flatMap((pair) => {
      const value = valueOf(pair);
      return Array.isArray(value) ? value.map(ofEntry) : [value];
    });
}

/** `value` of an entry, whose names a server reads in any case of letters. */
function ofEntry(entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null) return entry;
  return Object.entries(entry).find(([name]) => name.toLowerCase() === 'value')?.[1];
}

/** Every scalar as it is written: `010` is another number for us than for the server, and must not become one. */
function read(file: string, text: string): Document {
  const lines = new LineCounter();
  const document: Document = parseDocument(text, { schema: 'failsafe', lineCounter: lines });
  const [error] = document.errors;
  // Not its message: it quotes the text.
  if (error !== undefined) {
    throw new PreconditionError(
      `${file} is no valid YAML (line ${lines.linePos(error.pos[0]).line}); mend it, or set policy.roll.style to asConfigured`,
      { file },
    );
  }
  if (document.contents === null || isMap(document.contents)) return document;
  // A file that is empty but for a scalar such as `~` has no settings either.
  if (isScalar(document.contents) && String(document.contents.value).trim() === '') {
    document.contents = null;
    return document;
  }
  throw new PreconditionError(`${file} holds no settings at its top; expected keys with lists of values`, { file });
}

/** The document as text, after a look whether all else says the same as before: nobody's setting is ever changed. */
function write(
  file: string,
  document: Document,
  { before, keys }: { readonly before: string; readonly keys: readonly Setting[] },
): string {
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: false });
  if (isDeepStrictEqual(meaning(text, keys), meaning(before, keys))) return text;
  throw new PreconditionError(
    `the settings of a roll cannot be put into ${file} without changing what else it says; set policy.roll.style to asConfigured`,
    { file },
  );
}

function meaning(text: string, without: readonly Setting[]): unknown {
  const left = without.map(({ key }) => key.toLowerCase());
  const value: unknown = parseDocument(text, { intAsBigInt: true }).toJS({ maxAliasCount: -1 });
  return Object.entries(value ?? {}).filter(([key]) => !left.includes(key.toLowerCase()));
}

function pairsOf({ contents }: Document): readonly Pair[] {
  return isMap(contents) ? contents.items : [];
}

function keyOf({ key }: Pair): string {
  return (isScalar(key) ? String(key.value) : '').toLowerCase();
}

function valueOf({ value }: Pair): unknown {
  return isNode(value) ? (value.toJSON() as unknown) : value;
}
