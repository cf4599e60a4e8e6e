import { PreconditionError } from '../core/errors.js';
import { compareVersions, minorOf } from '../core/version.js';
import { addPatch, newMinor } from './add-patch.js';
import { addSteps, noteHashes, noteRetractions } from './add-steps.js';
import type { RawCatalogue } from './catalogue-json.js';
import { checkRelease, missingSteps } from './check-release.js';
import { noteDynamicKeys } from './dynamic-keys.js';
import { deriveFields } from './derived-fields.js';
import type { ReleaseFacts } from './read-release.js';
import type { Report } from './report.js';

/** What became of the catalogue, and for whom it was not enough. */
export interface Addition {
  readonly catalogue: RawCatalogue;
  /** What was added, one sentence each; empty when all was known. */
  readonly added: readonly string[];
  /** What a person still has to look at: a text tells no more than it says. */
  readonly look: readonly string[];
}

/**
 * The catalogue with one more release: a new patch of a known minor, or the first of the next minor. Nothing changes when all
 * of it is known already.
 * @throws PreconditionError when the catalogue says otherwise of this release, or lacks the minor before
 */
export function addRelease(before: RawCatalogue, facts: ReleaseFacts): Addition {
  const { version } = facts;
  const known = before.minors.find(({ minor }) => minor === minorOf(version));
  const isKnown = known?.patches.includes(version) === true;
  // Of a new release only what it lacks can be wrong. A retraction is news about others, not a contradiction.
  refuse(facts, isKnown ? checkRelease(before, { ...facts, retractions: [] }) : missingSteps(before, facts));
  const added: string[] = [];
  const look: string[] = [];
  const catalogue = structuredClone(before);
  const report = { added, look };
  if (known === undefined) {
    catalogue.minors.push(newMinor(catalogue, facts));
    added.push(`minor ${minorOf(version)}`);
  }
  if (!isKnown) {
    added.push(`release ${version}`);
    look.push(`the release notes of ${version}: defects, settings and order of an upgrade stand only there`);
  }
  catalogue.minors = catalogue.minors
    .toSorted((a, b) => compareVersions(a.minor, b.minor))
    .map((minor) => (minor.minor === minorOf(version) ? addPatch(minor, facts, isKnown ? undefined : report) : minor));
  noteProxy(catalogue, facts, report);
  addSteps(catalogue, facts, report);
  noteHashes(catalogue, facts, report);
  noteRetractions(catalogue, facts, report);
  noteDynamicKeys(catalogue, facts, report);
  catalogue.minors = deriveFields(catalogue.minors);
  if (known === undefined) look.push(...lookAtMinor(catalogue, minorOf(version)));
  return { catalogue, added, look };
}

function refuse({ version }: ReleaseFacts, differences: readonly string[]): void {
  if (differences.length === 0) return;
  throw new PreconditionError(
    `the catalogue says otherwise of ${version}; find out which is right, and correct the catalogue by hand:\n${differences.join('\n')}`,
    { version, differences },
  );
}

function noteProxy({ minors, generatedFrom }: RawCatalogue, { version, from }: ReleaseFacts, { added }: Report): void {
  if (from !== 'module') return;
  const minor = minors.find((each) => each.minor === minorOf(version));
  if (minor === undefined || minor.goProxyVersions.includes(version)) return;
  minor.goProxyVersions = [...minor.goProxyVersions, version].toSorted(compareVersions);
  const { goModuleProxy } = generatedFrom;
  goModuleProxy.versionsReadFromProxy = [...goModuleProxy.versionsReadFromProxy, version].toSorted(compareVersions);
  added.push(`${version} is held by the Go module proxy`);
}

function lookAtMinor({ minors }: RawCatalogue, minor: string): string[] {
  const index = minors.findIndex((each) => each.minor === minor);
  const [previous, facts] = [minors[index - 1], minors[index]];
  if (previous === undefined || facts === undefined) return [];
  const changes = (facts.schemaChangedFromPreviousMinor ?? []).map(
    ({ component, from, to }) => `${component} from ${from ?? 'none'} to ${to ?? 'none'}`,
  );
  const gone = previous.sqlPlugins.filter((plugin) => !facts.sqlPlugins.includes(plugin));
  const es = previous.esVersionsSupported?.filter((each) => !facts.esVersionsSupported?.includes(each)) ?? [];
  return [
    `schemas against ${previous.minor}: ${changes.length === 0 ? 'no change' : changes.join(', ')}`,
    `rollbackTargetMinPatch of ${previous.minor}: which of its patches bears data of ${minor}`,
    `enterAtPatch of ${minor}, which is its first patch for now`,
    `rules.json: tools, settings, databases and features that begin or end with ${minor}`,
    ...gone.map((plugin) => `SQL plugin ${plugin} of ${previous.minor} is gone`),
    ...es.map((each) => `Elasticsearch ${each} of ${previous.minor} is gone, or could not be read`),
  ];
}
