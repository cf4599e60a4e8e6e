import { type Catalogue, isKnown, isRetracted, minorFacts, newestPatch } from '../catalogue/catalogue.js';
import { avoidRules, choosePatch } from './choose-version.js';
import { type Finding, worstFirst } from '../finding.js';
import { kindsOf } from './moves.js';
import type { Stores } from '../plan.js';
import { UPGRADE_GUIDE } from '../sources.js';
import { compareVersions, minorOf } from '../version.js';

/** What a frontend says of newer releases, where its server calls home; empty where it does not. */
export interface ReportedVersions {
  readonly recommended?: string | undefined;
  readonly alerts: readonly string[];
}

export interface VersionQuestion {
  readonly catalogue: Catalogue;
  /** Server version that runs, in full. */
  readonly version: string;
  readonly stores: Stores;
  readonly reported?: ReportedVersions | undefined;
}

/** Whether there is something newer, whether the running version is still maintained, and what speaks against it. */
export function checkVersion(question: VersionQuestion): Finding[] {
  const { catalogue, version } = question;
  if (!isKnown(catalogue, version)) return [unknownVersion(catalogue, version)];
  return worstFirst([
    ...advisories(question),
    ...support(catalogue, version),
    ...newerPatch(question),
    ...newerMinor(question),
    ...reportedFindings(question),
  ]);
}

function unknownVersion(catalogue: Catalogue, version: string): Finding {
  return {
    id: 'version-unknown',
    severity: 'warn',
    found: `the catalogue does not know server ${version}; it knows up to ${catalogue.minors.at(-1)?.patches.at(-1)}`,
    expected: 'a released version',
    action: 'Hand in a newer catalogue (docs/knowledge.md)',
    source: 'catalogue',
  };
}

function advisories({ catalogue, version, stores }: VersionQuestion): Finding[] {
  const retracted: Finding[] = isRetracted(catalogue, version)
    ? [
        {
          id: 'version-retracted',
          severity: 'warn',
          found: `server ${version} was retracted by its makers`,
          expected: 'a version that was not',
          action: 'Go to a later patch of the same minor',
          source: `catalogue, retracted patches of ${minorOf(version)}`,
        },
      ]
    : [];
  const avoid = avoidRules(catalogue, version, kindsOf(stores)).map(({ why, instead, source }): Finding => ({
    id: 'version-advisory',
    severity: 'warn',
    found: `server ${version}: ${why}`,
    expected: `${instead} or later`,
    action: `Go to ${instead} or a later patch of ${minorOf(instead)}`,
    source,
  }));
  return [...retracted, ...avoid];
}

/** Maintained are the newest minors that have a release to use. */
function support(catalogue: Catalogue, version: string): Finding[] {
  const { minors, source } = catalogue.rules.support;
  const maintained = catalogue.minors
    .filter((facts) => newestPatch(facts) !== undefined)
    .slice(-minors)
    .map(({ minor }) => minor);
  if (maintained.includes(minorOf(version))) return [];
  return [
    {
      id: 'version-unsupported',
      severity: 'warn',
      found: `server ${version} is not maintained any more`,
      expected: `one of the last ${minors} minors: ${maintained.join(', ')}`,
      action: `Upgrade to ${maintained[0]} or later, one minor at a time: temporal-upgrade plan --from ${version} --to ${maintained.at(-1)}`,
      source,
    },
  ];
}

function newerPatch({ catalogue, version, stores }: VersionQuestion): Finding[] {
  const facts = minorFacts(catalogue, version);
  const newest = facts && choosePatch(catalogue, facts, kindsOf(stores))?.version;
  if (newest === undefined || compareVersions(newest, version) <= 0) return [];
  return [
    {
      id: 'newer-patch',
      severity: 'note',
      found: `${newest} is a newer patch of ${minorOf(version)}`,
      action: `Its plan: temporal-upgrade plan --from ${version} --to ${newest}`,
      source: `catalogue, patches of ${minorOf(version)}`,
    },
  ];
}

function newerMinor({ catalogue, version, stores }: VersionQuestion): Finding[] {
  const newer = catalogue.minors.filter(({ minor }) => compareVersions(minor, minorOf(version)) > 0);
  const newest = newer
    .map((facts) => choosePatch(catalogue, facts, kindsOf(stores))?.version)
    .findLast((patch) => patch !== undefined);
  if (newest === undefined) return [];
  return [
    {
      id: 'newer-minor',
      severity: 'note',
      found: `${minorOf(newest)} is out, ${newer.length} ${newer.length === 1 ? 'minor' : 'minors'} above ${minorOf(version)}; its newest usable patch is ${newest}`,
      action: `Its plan: temporal-upgrade plan --from ${version} --to ${minorOf(newest)}`,
      source: UPGRADE_GUIDE,
    },
  ];
}

function reportedFindings({ version, reported }: VersionQuestion): Finding[] {
  if (reported === undefined) return [];
  const { recommended, alerts } = reported;
  const source = 'the cluster’s own version information (GetClusterInfo)';
  const newer: Finding[] =
    recommended === undefined || compareVersions(recommended, version) <= 0
      ? []
      : [{ id: 'cluster-recommends', severity: 'note', found: `the cluster recommends ${recommended}`, source }];
  return [
    ...newer,
    ...alerts.map((found): Finding => ({
      id: 'cluster-alert',
      severity: 'warn',
      found: `the cluster warns: ${found}`,
      expected: 'no alert',
      action: 'See the release notes that it speaks of',
      source,
    })),
  ];
}
