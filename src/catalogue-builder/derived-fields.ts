import { compareVersions } from '../core/version.js';
import type { RawMinor } from './catalogue-json.js';
import { schemaAtPatch, schemaChanges } from './schema-by-patch.js';

/** Fields that follow from others of the same minor and the one before, put right after something was added. */
export function deriveFields(minors: readonly RawMinor[]): RawMinor[] {
  return minors.map((facts, index) => {
    const patches = facts.patches.toSorted(compareVersions);
    const firstPatch = patches.at(0) ?? facts.firstPatch;
    const latestPatch = patches.at(-1) ?? facts.latestPatch;
    const previous = minors[index - 1];
    const goProxyLatest = facts.goProxyVersions.toSorted(compareVersions).at(-1) ?? null;
    return {
      ...facts,
      patches,
      firstPatch,
      latestPatch,
      schemaChangedFromPreviousMinor: previous === undefined ? null : schemaChanges(previous.schema, facts.schema),
      goVersion: goVersionOf(facts, latestPatch),
      goInstallable: isHeld(facts, latestPatch),
      goProxyLatest,
      goProxyLatestSameSchema:
        goProxyLatest === null ? null : schemaChanges(schemaAtPatch(facts, goProxyLatest), facts.schema).length === 0,
    };
  });
}

function goVersionOf({ goVersionByPatch, goVersion }: RawMinor, patch: string): string {
  return Object.entries(goVersionByPatch).find(([, patches]) => patches.includes(patch))?.[0] ?? goVersion;
}

function isHeld({ goProxyVersions, goProxyRefused }: RawMinor, patch: string): boolean | 'unknown' {
  if (goProxyVersions.includes(patch)) return true;
  return goProxyRefused.includes(patch) ? false : 'unknown';
}
