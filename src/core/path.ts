import { type Catalogue, isKnown, isRetracted, minorFacts, nearestVersions, newestPatch } from './catalogue.js';
import { PreconditionError, UnsupportedPathError } from './errors.js';
import { hopFindings, UPGRADE_GUIDE } from './findings.js';
import type { Finding, Hop, Path, StoreKind } from './plan.js';
import { schemaVersion, type StorePart } from './schema-version.js';
import { compareVersions, isMinor, isServerVersion, minorOf } from './version.js';

export interface PathRequest {
  readonly catalogue: Catalogue;
  /** Version that the target runs, in full. */
  readonly from: string;
  /** A minor, `1.31`: its newest patch that was not retracted; or a version in full. */
  readonly to: string;
  /** Patch to use for a minor instead of the newest: `{"1.30": "1.30.7"}`. */
  readonly pins?: Readonly<Record<string, string>>;
  readonly stores: Readonly<Record<StorePart, StoreKind>>;
}

/**
 * The way from one server version to another: one minor at a time, each at its newest patch unless pinned.
 * @throws UnsupportedPathError when no way leads there: unknown or too old version, downgrade
 * @throws PreconditionError when a pin is no known version, or a version on the way does not have the store
 */
export function planPath({ catalogue, from, to, pins = {}, stores }: PathRequest): Path {
  checkPresent(catalogue, from, to);
  checkPins(catalogue, to, pins);
  const goal = chooseGoal(catalogue, from, to, pins);
  const order = compareVersions(goal, from);
  if (order < 0) {
    throw new UnsupportedPathError(
      from,
      to,
      `the target runs ${from}, which is newer than ${goal}: upgrades go forward only. ` +
        `Ask for a version above ${from}; a hop is taken back by its own roll-back, not by a path`,
    );
  }
  const path = order === 0 ? [from] : [from, ...versionsBetween(catalogue, from, goal, pins), goal];
  const hops = path.slice(1).map((version, index) => planHop(catalogue, path[index] ?? from, version, stores));
  // Also for a path without hops: a store that the present version cannot have is a mistake in the input.
  for (const part of ['default', 'visibility'] as const) schemaVersion(catalogue, from, stores[part], part);
  return { path, hops, findings: [...presentFindings(catalogue, from, order), ...pinFindings(path, pins)] };
}

function checkPresent(catalogue: Catalogue, from: string, to: string): void {
  if (/^v?0\./.test(from)) {
    throw new UnsupportedPathError(
      from,
      to,
      `version ${from} is older than 1.0.0, for which there is no upgrade path; ask at community.temporal.io how to upgrade`,
    );
  }
  if (!isServerVersion(from) || !isKnown(catalogue, from)) throw unknownVersion(catalogue, from, to, from);
}

function checkPins(catalogue: Catalogue, to: string, pins: Readonly<Record<string, string>>): void {
  for (const [minor, version] of Object.entries(pins)) {
    if (!isServerVersion(version) || minorOf(version) !== minor || !isKnown(catalogue, version)) {
      throw new PreconditionError(
        `the pin ${minor} = ${version} is no known patch of ${minor}; ${knownPatches(catalogue, minor)}`,
        { minor, version },
      );
    }
    if (isServerVersion(to) && minorOf(to) === minor && to !== version) {
      throw new PreconditionError(`the pin ${minor} = ${version} contradicts the version asked for, ${to}`, {
        minor,
        version,
        to,
      });
    }
  }
}

function chooseGoal(catalogue: Catalogue, from: string, to: string, pins: Readonly<Record<string, string>>): string {
  if (isServerVersion(to)) {
    if (!isKnown(catalogue, to)) throw unknownVersion(catalogue, from, to, to);
    return to;
  }
  const facts = isMinor(to) ? minorFacts(catalogue, to) : undefined;
  const goal = facts === undefined ? undefined : (pins[facts.minor] ?? newestPatch(facts));
  if (goal === undefined) throw unknownVersion(catalogue, from, to, to);
  return goal;
}

/** What lies strictly between: a pinned newer patch of the present minor, then one patch of every minor that has one. */
function versionsBetween(
  catalogue: Catalogue,
  from: string,
  goal: string,
  pins: Readonly<Record<string, string>>,
): string[] {
  const lowest = minorOf(from);
  const highest = minorOf(goal);
  if (lowest === highest) return [];
  const pinned = pins[lowest];
  const start = pinned !== undefined && compareVersions(pinned, from) > 0 ? [pinned] : [];
  const between = catalogue.minors
    .filter(({ minor }) => compareVersions(minor, lowest) > 0 && compareVersions(minor, highest) < 0)
    .map((facts) => pins[facts.minor] ?? newestPatch(facts))
    // A minor without a release to use is passed over: the rule then names the closest available next one.
    .filter((version) => version !== undefined);
  return [...start, ...between];
}

function planHop(catalogue: Catalogue, from: string, to: string, stores: Readonly<Record<StorePart, StoreKind>>): Hop {
  const step = (part: StorePart) => ({
    from: schemaVersion(catalogue, from, stores[part], part),
    to: schemaVersion(catalogue, to, stores[part], part),
  });
  const schema = { default: step('default'), visibility: step('visibility') };
  return { from, to, schema, findings: hopFindings({ catalogue, from, to, schema, stores }) };
}

function presentFindings(catalogue: Catalogue, from: string, order: number): Finding[] {
  const findings: Finding[] = [];
  if (order === 0) {
    findings.push({
      id: 'already-there',
      severity: 'note',
      message: `the target runs ${from} already; there is nothing to upgrade`,
      source: UPGRADE_GUIDE,
    });
  }
  if (isRetracted(catalogue, from)) {
    findings.push({
      id: 'present-retracted',
      severity: 'note',
      message: `the target runs ${from}, which its makers have retracted`,
      source: `catalogue, retracted patches of ${minorOf(from)}`,
    });
  }
  return findings;
}

function pinFindings(path: readonly string[], pins: Readonly<Record<string, string>>): Finding[] {
  return Object.entries(pins)
    .filter(([, version]) => !path.includes(version))
    .map(([minor, version]) => ({
      id: 'pin-not-used',
      severity: 'warning',
      message: `the pin ${minor} = ${version} is not used: the path is ${path.join(', ')}`,
      source: 'input',
    }));
}

function unknownVersion(catalogue: Catalogue, from: string, to: string, version: string): UnsupportedPathError {
  const inMinor = /^\d+\.\d+/.test(version) && minorFacts(catalogue, version) !== undefined;
  const nearest = /^\d+\.\d+(\.\d+)?$/.test(version) ? nearestVersions(catalogue, version) : [];
  const known = inMinor
    ? knownPatches(catalogue, minorOf(version))
    : nearest.length > 0
      ? `the nearest known ones are ${nearest.join(' and ')}`
      : `known are ${catalogue.minors[0]?.patches[0]} to ${catalogue.minors.at(-1)?.patches.at(-1)}`;
  return new UnsupportedPathError(
    from,
    to,
    `version ${version} is not in the catalogue of released servers; ${known}. ` +
      'If it was released since, add it to the catalogue',
  );
}

function knownPatches(catalogue: Catalogue, minor: string): string {
  const patches = minorFacts(catalogue, minor)?.patches;
  return patches === undefined ? `the catalogue knows no ${minor}` : `known are ${patches.join(', ')}`;
}
