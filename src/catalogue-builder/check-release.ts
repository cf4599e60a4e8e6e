import { compareVersions, minorOf } from '../core/version.js';
import type { RawCatalogue, RawMinor } from './catalogue-json.js';
import { checkDynamicKeys } from './dynamic-keys.js';
import type { ReleaseFacts } from './read-release.js';
import { hashAt } from './script-hashes.js';
import { schemaAtPatch, schemaChanges } from './schema-by-patch.js';

/** What the catalogue says otherwise of a release that it knows, one sentence each; empty when they agree. */
export function checkRelease(catalogue: RawCatalogue, facts: ReleaseFacts): string[] {
  const minor = catalogue.minors.find((each) => each.minor === minorOf(facts.version));
  if (minor === undefined || !minor.patches.includes(facts.version)) {
    return [`${facts.version}: the catalogue does not know this release`];
  }
  const differences = [
    ...checkSchemas(minor, facts),
    ...checkList('SQL plugins', minor.sqlPlugins, facts.sqlPlugins),
    ...checkList('versions of Elasticsearch', minor.esVersionsSupported, facts.esVersions),
    ...checkGoVersion(minor, facts),
    ...checkSteps(catalogue, facts),
    ...checkHashes(catalogue, facts),
    ...checkRetractions(catalogue, facts),
    ...checkDynamicKeys(catalogue, facts),
  ];
  return differences.map((difference) => `${facts.version}: ${difference}`);
}

function checkSchemas(minor: RawMinor, { version, schema }: ReleaseFacts): string[] {
  return schemaChanges(schemaAtPatch(minor, version), schema).map(
    ({ component, from, to }) => `${component}: the catalogue has ${from ?? 'none'}, the release ${to ?? 'none'}`,
  );
}

function checkList(name: string, ours: readonly string[] | null, theirs: readonly string[] | null): string[] {
  const words = (list: readonly string[] | null) => list?.toSorted().join(', ') ?? 'none';
  return words(ours) === words(theirs)
    ? []
    : [`${name}: the catalogue has ${words(ours)}, the release ${words(theirs)}`];
}

function checkGoVersion({ goVersionByPatch }: RawMinor, { version, goVersion }: ReleaseFacts): string[] {
  const ours = Object.entries(goVersionByPatch).find(([, patches]) => patches.includes(version))?.[0];
  return ours === goVersion ? [] : [`Go: the catalogue has ${ours ?? 'none'}, the release ${goVersion}`];
}

/** Steps of the catalogue that the release should have and has not: of the stores that it still has. */
export function missingSteps({ minors }: RawCatalogue, { version, steps }: ReleaseFacts): string[] {
  const stores = new Set(steps.map(({ store }) => store));
  return minors
    .flatMap(({ schemaSteps }) => schemaSteps)
    .filter(({ store, firstInPatch }) => stores.has(store) && compareVersions(firstInPatch, version) <= 0)
    .filter((ours) => !steps.some((step) => step.store === ours.store && step.version === ours.version))
    .map((ours) => `schema step ${ours.store} ${ours.version} of the catalogue is not in the release`);
}

/** Steps that the catalogue knows of releases up to this one, and steps of this one, are the same. */
function checkSteps(catalogue: RawCatalogue, facts: ReleaseFacts): string[] {
  const { version, steps } = facts;
  const known = catalogue.minors
    .flatMap(({ schemaSteps }) => schemaSteps)
    .filter(({ firstInPatch }) => compareVersions(firstInPatch, version) <= 0);
  const others = steps.flatMap((step) => {
    const ours = known.find((each) => each.store === step.store && each.version === step.version);
    const name = `schema step ${step.store} ${step.version}`;
    if (ours === undefined) return [`${name} of the release is not in the catalogue`];
    // The words are those of the first patch that had the step; a later one may have another script under the number.
    if (ours.firstInPatch !== version) return [];
    return [
      ...(ours.description === step.description
        ? []
        : [`${name}: described as "${ours.description}" and "${step.description}"`]),
      ...checkList(`${name}, what it removes or rewrites`, ours.removesOrRewrites, step.removesOrRewrites),
    ];
  });
  return [...missingSteps(catalogue, facts), ...others];
}

function checkHashes({ scriptHashes }: RawCatalogue, { version, steps }: ReleaseFacts): string[] {
  return steps.flatMap((step) => {
    const ours = hashAt(scriptHashes?.[step.store]?.[step.version], version);
    if (ours === undefined || ours === step.hash) return [];
    return [`scripts of ${step.store} ${step.version}: the catalogue has hash ${ours}, the release ${step.hash}`];
  });
}

function checkRetractions({ minors }: RawCatalogue, { retractions }: ReleaseFacts): string[] {
  return minors
    .flatMap(({ patches, retractedPatches }) => patches.filter((patch) => !retractedPatches.includes(patch)))
    .filter((patch) =>
      retractions.some(({ from, to }) => compareVersions(patch, from) >= 0 && compareVersions(patch, to) <= 0),
    )
    .map((patch) => `it retracts ${patch}, the catalogue does not`);
}
