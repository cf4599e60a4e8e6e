import type { Finding } from '../finding.js';
import { UPGRADE_GUIDE } from '../sources.js';
import type { Check, CheckContext } from '../survey/survey.js';
import type { ClusterSurvey } from '../survey/cluster-survey.js';
import { compareVersions, isServerVersion, minorOf } from '../version.js';
import { checkVersion } from '../planning/version-check.js';
import { answersOf, versionsThatRun } from './who-runs.js';
import { groupBy, listed } from './words.js';

/** All run one version, and that is one to run; in a hop, those that it goes between. */
export const checkVersions: Check = ({ cluster }, context) => {
  const byVersion = groupBy(
    versionsThatRun(cluster),
    ({ version }) => version,
    ({ who }) => who,
  );
  const versions = [...byVersion.keys()].toSorted(compareVersions);
  const who = (version: string): string => `${listed(byVersion.get(version) ?? [])} ${version}`;
  if (context.hop !== undefined) return inHop(versions, who, context.hop);
  return [...mixed(versions, who), ...standing(cluster, versions, context)];
};

function inHop(
  versions: readonly string[],
  who: (version: string) => string,
  { from, to }: NonNullable<CheckContext['hop']>,
): Finding[] {
  const foreign = versions.filter((version) => version !== from && version !== to);
  const others = foreign.map((version): Finding => ({
    id: 'version-not-of-hop',
    severity: 'block',
    found: `${who(version)} runs, which this hop does not go from`,
    expected: `${from}, or ${to} where the hop was begun`,
    action: 'Plan anew from what runs, or bring it to one version first',
    source: UPGRADE_GUIDE,
  }));
  if (foreign.length > 0 || versions.length < 2) return others;
  return [
    {
      id: 'hop-half-done',
      severity: 'note',
      found: `this hop was begun before: ${listed(versions.map(who))}`,
      action: 'Go on: what runs the new version already is left as it is',
      source: UPGRADE_GUIDE,
    },
  ];
}

/** A roll in progress looks the same as one that was given up; two versions far apart never do. */
function mixed(versions: readonly string[], who: (version: string) => string): Finding[] {
  const [oldest, newest] = [versions[0], versions.at(-1)];
  if (oldest === undefined || newest === undefined || oldest === newest) return [];
  const running = listed(versions.map(who));
  if (versions.length === 2 && areNeighbours(oldest, newest)) {
    return [
      {
        id: 'hop-half-done',
        severity: 'warn',
        found: `a hop from ${oldest} to ${newest} is half-done: ${running}`,
        expected: 'one version on every process',
        action: `Finish it, or go back to ${oldest}; two versions side by side are meant for the minutes of a roll`,
        source: UPGRADE_GUIDE,
      },
    ];
  }
  return [
    {
      id: 'versions-mixed',
      severity: 'block',
      found: `versions that no single hop leads between run side by side: ${running}`,
      expected: 'one version on every process, or two that are one minor apart while a hop is done',
      action: 'Bring every process to one version first, one minor at a time',
      source: UPGRADE_GUIDE,
    },
  ];
}

function areNeighbours(a: string, b: string): boolean {
  const [majorA = 0, minorA = 0] = minorOf(a).split('.').map(Number);
  const [majorB = 0, minorB = 0] = minorOf(b).split('.').map(Number);
  return majorA === majorB && minorB - minorA <= 1;
}

/** What is to be said of the oldest version that runs; what frontends heard of newer ones belongs to theirs. */
function standing(cluster: ClusterSurvey, versions: readonly string[], { catalogue, stores }: CheckContext): Finding[] {
  const [version] = versions;
  if (version === undefined || !isServerVersion(version)) return [];
  const reported = answersOf(cluster).find(({ versionInfo }) => versionInfo !== undefined)?.versionInfo;
  return checkVersion({ catalogue, version, stores, reported });
}
