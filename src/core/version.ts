import semver from 'semver';

/** Whether `text` is a released server version in full, such as `1.28.1`. */
export function isServerVersion(text: string): boolean {
  return /^\d+\.\d+\.\d+$/.test(text) && semver.valid(text) !== null;
}

/** Whether `text` names a minor, such as `1.28`. */
export function isMinor(text: string): boolean {
  return /^\d+\.\d+$/.test(text);
}

/** The minor of a server version: `1.28` for `1.28.1`. */
export function minorOf(version: string): string {
  const patch = version.indexOf('.', version.indexOf('.') + 1);
  return patch === -1 ? version : version.slice(0, patch);
}

/** Below zero when `a` is the older server version (or minor), above when it is the newer one. */
export function compareVersions(a: string, b: string): number {
  return semver.compare(complete(a), complete(b));
}

/** Whether `text` is a schema version as SQL stores keep it, such as `1.9`. */
export function isSchemaVersion(text: string): boolean {
  return /^\d+\.\d+$/.test(text);
}

/** Schema versions (`1.9`, `1.13`) compare by number, part by part; also takes the `v13` of Elasticsearch templates. */
export function compareSchemaVersions(a: string, b: string): number {
  return semver.compare(complete(a), complete(b));
}

/** Plans compare the same few hundred versions over and over; reading one costs more than comparing it. */
const known = new Map<string, semver.SemVer>();

function complete(version: string): semver.SemVer {
  const found = known.get(version);
  if (found !== undefined) return found;
  const plain = version.replace(/^v/, '');
  const parsed = semver.parse([...plain.split('.'), '0', '0'].slice(0, 3).join('.'));
  if (parsed === null) throw new TypeError(`"${version}" is not a version`);
  if (known.size > 10_000) known.clear(); // versions come from outside too
  known.set(version, parsed);
  return parsed;
}
