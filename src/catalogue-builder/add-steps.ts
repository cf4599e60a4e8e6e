import { compareSchemaVersions, compareVersions, minorOf } from '../core/version.js';
import type { RawCatalogue, RawMinor } from './catalogue-json.js';
import type { ReleaseFacts, StepFacts } from './read-release.js';
import type { Report } from './report.js';
import { hashBefore, noteHash } from './script-hashes.js';

/** Adds the schema steps that no release below this one has. */
export function addSteps(catalogue: RawCatalogue, { version, steps }: ReleaseFacts, { added, look }: Report): void {
  const minor = catalogue.minors.find((each) => each.minor === minorOf(version));
  if (minor === undefined) return;
  const known = catalogue.minors.flatMap(({ schemaSteps }) => schemaSteps);
  for (const step of steps) {
    const ours = known.filter((each) => each.store === step.store && each.version === step.version);
    if (ours.some(({ firstInPatch }) => compareVersions(firstInPatch, version) <= 0)) continue;
    const name = `${step.store} ${step.version}`;
    for (const { firstInPatch } of ours) look.push(`schema step ${name} is also listed as first in ${firstInPatch}`);
    minor.schemaSteps.push({
      store: step.store,
      version: step.version,
      firstInPatch: version,
      description: step.description,
      removesOrRewrites: [...step.removesOrRewrites],
    });
    added.push(`schema step ${name}: ${step.description}`);
    if (step.removesOrRewrites.length > 0) look.push(`what ${name} takes away: ${step.removesOrRewrites.join(', ')}`);
    if (step.hasProcedure) look.push(`the procedural code in the scripts of ${name}, which is not read`);
  }
  minor.schemaSteps = minor.schemaSteps.toSorted(
    (a, b) =>
      compareVersions(a.firstInPatch, b.firstInPatch) ||
      (a.store < b.store ? -1 : a.store > b.store ? 1 : compareSchemaVersions(a.version, b.version)),
  );
}

/** Notes the hash of every step, and where the scripts of a number are others than in the release before. */
export function noteHashes(catalogue: RawCatalogue, { version, steps }: ReleaseFacts, { added, look }: Report): void {
  const minor = catalogue.minors.find((each) => each.minor === minorOf(version));
  if (minor === undefined) return;
  const patches = catalogue.minors.flatMap((each) => each.patches).toSorted(compareVersions);
  const next = patches.find((patch) => compareVersions(patch, version) > 0);
  const previous = patches.findLast((patch) => compareVersions(patch, version) < 0);
  const hashes = structuredClone(catalogue.scriptHashes ?? {});
  for (const step of steps) {
    const histories = (hashes[step.store] ??= {});
    const before = hashBefore(histories[step.version], version);
    histories[step.version] = noteHash(histories[step.version], { version, hash: step.hash, next });
    if (before === undefined || before === step.hash || isNoted(minor, version, step)) continue;
    minor.schemaScriptsChangedUnderSameNumber.push({
      patch: version,
      store: wordsFor(step.store),
      version: step.version,
      effect: `statements differ from ${previous ?? 'those before'}; effect not studied`,
    });
    added.push(`scripts of ${step.store} ${step.version} are others than in ${previous ?? 'the release before'}`);
    look.push(`what the other scripts of ${step.store} ${step.version} cost and mend, for rules.json`);
  }
  catalogue.scriptHashes = inOrder(hashes);
}

/** Notes which known releases this one takes back, and keeps nobody from entering a minor at one of them. */
export function noteRetractions(catalogue: RawCatalogue, facts: ReleaseFacts, { added, look }: Report): void {
  for (const { from, to } of facts.retractions) {
    const isWithin = (patch: string) => compareVersions(patch, from) >= 0 && compareVersions(patch, to) <= 0;
    const minors = catalogue.minors.filter(({ patches }) => patches.some(isWithin));
    if (minors.length === 0) look.push(`${facts.version} retracts ${from}, which the catalogue does not know`);
    for (const minor of minors) {
      const news = minor.patches.filter((patch) => isWithin(patch) && !minor.retractedPatches.includes(patch));
      if (news.length === 0) continue;
      minor.retractedPatches = [...minor.retractedPatches, ...news].toSorted(compareVersions);
      added.push(...news.map((patch) => `${patch} is retracted`));
      if (!minor.retractedPatches.includes(minor.enterAtPatch)) continue;
      const enter = minor.patches.find((patch) => !minor.retractedPatches.includes(patch));
      look.push(
        `${minor.minor} was entered at ${minor.enterAtPatch}, which is retracted; now at ${enter ?? 'no patch at all'}`,
      );
      minor.enterAtPatch = enter ?? minor.enterAtPatch;
    }
  }
}

/** `postgresql/v12 visibility` for `postgresql/v12/visibility`: as people wrote it before. */
function wordsFor(store: string): string {
  return store.replace(/\/(\w+)$/, ' $1');
}

/** Whether a person has noted it already, perhaps for several stores or versions at once. */
function isNoted({ schemaScriptsChangedUnderSameNumber }: RawMinor, patch: string, step: StepFacts): boolean {
  const [folder = '', part = ''] = wordsFor(step.store).split(' ');
  return schemaScriptsChangedUnderSameNumber.some((entry) => {
    const [from = '', to = from] = entry.version.split(' to ');
    return (
      entry.patch === patch &&
      entry.store.includes(folder) &&
      entry.store.endsWith(part) &&
      compareSchemaVersions(step.version, from) >= 0 &&
      compareSchemaVersions(step.version, to) <= 0
    );
  });
}

function inOrder(hashes: Readonly<Record<string, Record<string, string>>>): Record<string, Record<string, string>> {
  return Object.fromEntries(
    Object.entries(hashes)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([store, histories]) => [
        store,
        Object.fromEntries(Object.entries(histories).toSorted(([a], [b]) => compareSchemaVersions(a, b))),
      ]),
  );
}
