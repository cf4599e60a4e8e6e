import { PreconditionError } from '../core/errors.js';
import { compareSchemaVersions, compareVersions, minorOf } from '../core/version.js';
import type { RawCatalogue, RawMinor } from './catalogue-json.js';
import type { ReleaseFacts } from './read-release.js';
import type { Report } from './report.js';
import { schemaAtPatch, schemaChanges, schemaFields } from './schema-by-patch.js';

/** A minor before its first patch is added. @throws PreconditionError when it is not the next one */
export function newMinor({ minors }: RawCatalogue, { version, schema, date, from }: ReleaseFacts): RawMinor {
  const minor = minorOf(version);
  const last = minors.toSorted((a, b) => compareVersions(a.minor, b.minor)).at(-1)?.minor ?? '';
  const [major = '', number = ''] = last.split('.');
  if (minor !== `${major}.${Number(number) + 1}`) {
    throw new PreconditionError(
      `the catalogue ends at ${last}, so ${minor} cannot be added: add a release of ${major}.${Number(number) + 1} first`,
      { version, last },
    );
  }
  const source = from === 'module' ? 'mod' : from;
  return {
    minor,
    firstPatch: version,
    latestPatch: version,
    patches: [],
    extraBuildTags: [],
    released: { first: date ?? null, latest: date ?? null, source: { first: source, latest: source } },
    patchDates: {},
    schema: structuredClone(schema),
    schemaChangedInPatch: [],
    schemaChangedFromPreviousMinor: [],
    sqlPlugins: [],
    esVersionsSupported: null,
    goVersion: '',
    goVersionByPatch: {},
    goInstallable: 'unknown',
    goProxyVersions: [],
    goProxyRefused: [],
    goProxyLatest: null,
    retractedPatches: [],
    enterAtPatch: version,
    rollbackTargetMinPatch: null,
    schemaSteps: [],
    schemaScriptsChangedUnderSameNumber: [],
    notes: [],
    goProxyLatestSameSchema: null,
  };
}

/** A minor with one more patch; the same when it is known, which is what a report that is left out says. */
export function addPatch(minor: RawMinor, facts: ReleaseFacts, report: Report | undefined): RawMinor {
  if (report === undefined) return minor;
  const { version, date, goVersion } = facts;
  const patches = [...minor.patches, version].toSorted(compareVersions);
  const schemas = minor.patches.map((patch) => ({ patch, schema: schemaAtPatch(minor, patch) }));
  const fields = schemaFields([...schemas, { patch: version, schema: facts.schema }]);
  const isLatest = patches.at(-1) === version;
  if (minor.patches.length > 0) lookAtPatch(minor, facts, report);
  if (date === undefined) report.look.push(`the day of ${version}: a folder does not tell it`);
  return {
    ...minor,
    ...fields,
    patches,
    released: releasedWith(minor, facts, patches),
    patchDates: date === undefined ? minor.patchDates : inOrder({ ...minor.patchDates, [version]: date }),
    sqlPlugins: isLatest ? [...facts.sqlPlugins] : minor.sqlPlugins,
    esVersionsSupported: isLatest ? (facts.esVersions?.slice() ?? null) : minor.esVersionsSupported,
    goVersionByPatch: inOrder({
      ...minor.goVersionByPatch,
      [goVersion]: [...(minor.goVersionByPatch[goVersion] ?? []), version].toSorted(compareVersions),
    }),
  };
}

function lookAtPatch(minor: RawMinor, { version, schema, sqlPlugins, esVersions }: ReleaseFacts, report: Report): void {
  const below = minor.patches.findLast((patch) => compareVersions(patch, version) < 0);
  if (below !== undefined) {
    report.look.push(`rules.json: where a range ends at ${below}, whether it goes on to ${version}`);
    const changes = schemaChanges(schemaAtPatch(minor, below), schema);
    for (const { component, from, to } of changes) {
      report.look.push(`${component} goes from ${from ?? 'none'} to ${to ?? 'none'} within the minor, at ${version}`);
    }
  }
  if (sqlPlugins.join() !== minor.sqlPlugins.join()) {
    report.look.push(`SQL plugins were ${minor.sqlPlugins.join(', ')} and are ${sqlPlugins.join(', ')} in ${version}`);
  }
  if (esVersions?.join() !== minor.esVersionsSupported?.join()) {
    report.look.push(`versions of Elasticsearch in ${version}: ${esVersions?.join(', ') ?? 'could not be read'}`);
  }
}

function releasedWith(minor: RawMinor, { version, date, from }: ReleaseFacts, patches: readonly string[]) {
  const source = from === 'module' ? 'mod' : from;
  const { released } = minor;
  const isFirst = patches.at(0) === version;
  const isLatest = patches.at(-1) === version;
  return {
    first: isFirst ? (date ?? null) : released.first,
    latest: isLatest ? (date ?? null) : released.latest,
    source: {
      first: isFirst ? source : released.source.first,
      latest: isLatest ? source : released.source.latest,
    },
  };
}

/** Fields whose names are versions, in the order of versions. */
function inOrder<T>(fields: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => compareSchemaVersions(a, b)));
}
