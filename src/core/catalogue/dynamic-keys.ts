import { compareVersions, minorOf } from '../version.js';

/**
 * Keys of the dynamic configuration, each with the minors that read it. A span holds both its ends; minors in between that
 * nobody read do not count.
 */
export interface DynamicKeys {
  /** Release that speaks for each minor: the newest of it that was read. */
  readonly readFrom: Readonly<Record<string, string>>;
  /** Key, as it is spelt in the newest of these minors, to spans such as `1.0..1.8, 1.14..1.32`, or a minor alone. */
  readonly spans: Readonly<Record<string, string>>;
}

/** The keys that the servers of a minor read, in lower case as the server compares them; undefined when nobody read that minor. */
export function dynamicKeysOf(keys: DynamicKeys | undefined, versionOrMinor: string): ReadonlySet<string> | undefined {
  const minor = minorOf(versionOrMinor);
  if (keys?.readFrom[minor] === undefined) return undefined;
  const known = Object.entries(keys.spans).filter(([, spans]) => isWithin(spans, minor));
  return new Set(known.map(([key]) => key.toLowerCase()));
}

export function isWithin(spans: string, minor: string): boolean {
  return spans.split(', ').some((span) => {
    const [from = span, to = from] = span.split('..');
    return compareVersions(from, minor) <= 0 && compareVersions(minor, to) <= 0;
  });
}
