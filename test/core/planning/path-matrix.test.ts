import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { loadCatalogue } from '../../../src/adapters/catalogue-file.js';
import { type Catalogue, isRetracted } from '../../../src/core/catalogue/catalogue.js';
import { PreconditionError, UnsupportedPathError } from '../../../src/core/errors.js';
import { planPath } from '../../../src/core/planning/path.js';
import type { Path, StoreKind, StorePart, Stores } from '../../../src/core/plan.js';
import { findSchemaVersion as readSchemaVersion } from '../../../src/core/schema/schema-version.js';
import { STORE_PARTS } from '../../../src/core/stores.js';
import { compareSchemaVersions, compareVersions, minorOf } from '../../../src/core/version.js';

/** Every ordered pair of releases, with every kind of default store beside itself and the others as visibility. */
const COMBINATIONS: readonly Stores[] = [
  { default: 'cassandra', visibility: 'cassandra' },
  { default: 'cassandra', visibility: 'elasticsearch' },
  { default: 'mysql', visibility: 'mysql' },
  { default: 'mysql', visibility: 'elasticsearch' },
  { default: 'mysql8', visibility: 'mysql8' },
  { default: 'mysql8', visibility: 'postgres12' },
  { default: 'postgres', visibility: 'postgres' },
  { default: 'postgres12', visibility: 'postgres12' },
  { default: 'postgres12', visibility: 'elasticsearch', secondaryVisibility: 'elasticsearch' },
  { default: 'sqlite', visibility: 'sqlite' },
];
const nameOf = (stores: Stores): string => STORE_PARTS.flatMap((part) => stores[part] ?? []).join('+');

let catalogue: Catalogue;
let versions: string[];
let minors: string[];
/** Order of the releases, so that a million comparisons need no parsing. */
let rank: Map<string, number>;
beforeAll(async () => {
  catalogue = await loadCatalogue();
  minors = catalogue.minors.map(({ minor }) => minor);
  versions = catalogue.minors.flatMap(({ patches }) => patches);
  rank = new Map(versions.map((version, index) => [version, index]));
});

/** The same few thousand answers are asked for a million times. */
const known = new Map<string, string | undefined>();
function findSchemaVersion(from: Catalogue, version: string, kind: StoreKind, part: StorePart): string | undefined {
  const key = `${version} ${kind} ${part}`;
  if (!known.has(key)) known.set(key, readSchemaVersion(from, version, kind, part));
  return known.get(key);
}

const stepOfMinor = (a: string, b: string): number => minors.indexOf(minorOf(b)) - minors.indexOf(minorOf(a));

/** What is wrong with a path under Temporal's rule; nothing when it is right. Written without the planner's own means. */
function broken({ direction, path, hops }: Path, from: string, to: string, stores: Stores): string | undefined {
  if (path[0] !== from || path.at(-1) !== to) return `goes from ${path[0]} to ${path.at(-1)}`;
  if (direction !== (from === to ? 'none' : 'forward')) return `is called ${direction}`;
  if (hops.length !== path.length - 1) return `has ${hops.length} hops for ${path.join(' ')}`;
  let present = stores;
  let schema: Partial<Record<StorePart, string>> = {};
  for (const [index, hop] of hops.entries()) {
    if (hop.from !== path[index] || hop.to !== path[index + 1]) return `hop ${index} does not chain`;
    if ((rank.get(hop.from) ?? 0) >= (rank.get(hop.to) ?? 0)) return `${hop.from} to ${hop.to} does not go up`;
    const climbed = stepOfMinor(hop.from, hop.to);
    if (climbed > 1) return `${hop.from} to ${hop.to} skips a minor`;
    // A patch of the same minor: at the very start, or all there is.
    if (climbed === 0 && index > 0) return `${hop.to} is a patch in the middle`;
    if (hop.to !== to && isRetracted(catalogue, hop.to)) return `stops at ${hop.to}, which was retracted`;
    if (hop.to === to && isRetracted(catalogue, to) !== hop.findings.some(({ id }) => id === 'patch-retracted'))
      return `says nothing right of ${to}, retracted or not`;
    for (const { part, toKind, schema: moved } of hop.moves) {
      present = { ...present, [part]: toKind };
      schema = { ...schema, [part]: moved.to };
    }
    for (const part of STORE_PARTS) {
      const kind = present[part];
      const step = hop.schema[part];
      if (kind === undefined || step === undefined) {
        if (kind !== undefined || step !== undefined) return `${part} appears or is lost at ${hop.to}`;
        continue;
      }
      if (step.from !== (schema[part] ?? findSchemaVersion(catalogue, from, kind, part)))
        return `${part} schema does not chain at ${hop.to}: ${schema[part]}, then ${step.from}`;
      if (step.to !== findSchemaVersion(catalogue, hop.to, kind, part))
        return `${part} schema of ${hop.to} is ${step.to}`;
      if (compareSchemaVersions(step.from, step.to) > 0) return `${part} schema is lowered at ${hop.to}`;
      schema = { ...schema, [part]: step.to };
    }
    if (hop.reasons.length === 0) return `${hop.to} has no reason`;
  }
  return undefined;
}

/** Why a pair must be refused with these stores; undefined when it must not be. */
function refusalDue(from: string, to: string, stores: Stores): string | undefined {
  if (Object.values(stores).includes('sqlite')) return 'SQLite';
  if (stepOfMinor(from, to) < -1) return 'too far down';
  for (const part of STORE_PARTS) {
    const kind = stores[part];
    if (kind === undefined) continue;
    if (findSchemaVersion(catalogue, from, kind, part) === undefined) return `no ${kind} at ${from}`;
    if ((rank.get(to) ?? 0) < (rank.get(from) ?? 0) && findSchemaVersion(catalogue, to, kind, part) === undefined)
      return `no ${kind} at ${to}`;
  }
  return undefined;
}

describe.each(COMBINATIONS.map((stores) => [nameOf(stores), stores] as const))('%s', (_, stores) => {
  test('every ordered pair of releases has a right path, or is refused where it must be', () => {
    const wrong: string[] = [];
    let planned = 0;
    for (const from of versions) {
      for (const to of versions) {
        const due = refusalDue(from, to, stores);
        try {
          const path = planPath({ catalogue, from, to, stores });
          planned += 1;
          const back = (rank.get(to) ?? 0) < (rank.get(from) ?? 0);
          const problem =
            due ??
            (back
              ? path.direction === 'back' && path.path.join() === `${from},${to}`
                ? undefined
                : 'is no roll-back'
              : broken(path, from, to, stores));
          if (problem !== undefined) wrong.push(`${from} to ${to}: ${problem}`);
        } catch (error) {
          if (!(error instanceof UnsupportedPathError) && !(error instanceof PreconditionError)) throw error;
          if (due === undefined) wrong.push(`${from} to ${to} is refused: ${error.message}`);
        }
      }
    }
    expect(wrong.slice(0, 10)).toEqual([]);
    // A store that the catalogue lost would make every pair a due refusal.
    expect(planned > 0).toBe(stores.default !== 'sqlite');
  });
});

test('a store that ends is moved once, in time, wherever the path begins', () => {
  const old: readonly StoreKind[] = ['mysql', 'postgres', 'cassandra'];
  for (const kind of old) {
    for (const from of versions.filter((version) => compareVersions(version, '1.24.0') < 0)) {
      const stores = { default: kind, visibility: kind };
      const moves = planPath({ catalogue, from, to: '1.32', stores }).hops.flatMap((hop) => hop.moves);
      const parts = kind === 'cassandra' ? ['visibility'] : ['default', 'visibility'];
      expect({ kind, from, parts: moves.map(({ part }) => part) }).toEqual({ kind, from, parts });
      for (const { at, before } of moves) {
        expect([
          compareVersions(at, kind === 'cassandra' ? '1.21.0' : '1.20.0') >= 0,
          compareVersions(at, before) < 0,
        ]).toEqual([true, true]);
      }
    }
  }
});

test('pins, a minor as goal and patches to avoid: laws that hold for any', () => {
  const any = fc.record({
    a: fc.constantFrom(...versions),
    b: fc.constantFrom(...versions),
    pinned: fc.constantFrom(...versions),
    stores: fc.constantFrom(...COMBINATIONS.filter((stores) => stores.default !== 'sqlite')),
  });
  fc.assert(
    fc.property(any, ({ a, b, pinned, stores }) => {
      const [from, last] = compareVersions(a, b) <= 0 ? [a, b] : [b, a];
      if (refusalDue(from, last, stores) !== undefined) return;
      const to = minorOf(last);
      const path = planPath({ catalogue, from, to, pins: { [minorOf(pinned)]: pinned }, stores }).path;
      const onTheWay = compareVersions(pinned, from) > 0 && compareVersions(minorOf(pinned), to) <= 0;
      const lowered = minorOf(from) === to && compareVersions(path.at(-1) ?? '', from) < 0;
      if (onTheWay && !lowered) expect(path).toContain(pinned);
      // Nothing that the catalogue warns of is chosen while there is something better.
      for (const version of path.slice(1)) {
        if (version === pinned) continue;
        const { findings } = planPath({
          catalogue,
          from: version,
          to: version,
          stores: { default: 'cassandra', visibility: 'elasticsearch' },
        });
        expect(findings.map(({ id }) => id)).not.toContain('present-retracted');
      }
    }),
    { numRuns: 500 },
  );
});
