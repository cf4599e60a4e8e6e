import {
  type Catalogue,
  isKnown,
  isRetracted,
  minorFacts,
  nearestVersions,
  newestPatch,
} from '../catalogue/catalogue.js';
import { choosePatch, sequenceReason, type Choice } from './choose-version.js';
import type { Databases } from './databases.js';
import { PreconditionError, UnsupportedPathError } from '../errors.js';
import type { Finding } from '../finding.js';
import { floorBelow } from './hop-findings.js';
import { afterMoves, endingStores, kindsOf, movesAt, partsOf } from './moves.js';
import { planHop, planRollBack } from './plan-hop.js';
import type { Hop, Path, Reason, StoreKind, StorePart, Stores } from '../plan.js';
import { schemaVersion } from '../schema/schema-version.js';
import { UPGRADE_GUIDE } from '../sources.js';
import { compareVersions, isMinor, isServerVersion, minorOf } from '../version.js';

export interface PathRequest {
  readonly catalogue: Catalogue;
  /** Version that the target runs, in full. */
  readonly from: string;
  /** A minor, `1.31`: its newest usable patch; or a version in full. */
  readonly to: string;
  /** Patch to use for a minor instead of the one chosen: `{"1.30": "1.30.7"}`. That of the present minor keeps it there. */
  readonly pins?: Readonly<Record<string, string>>;
  readonly stores: Stores;
  /** Kind to move a store to, where its kind ends on the way. */
  readonly moveTo?: Partial<Record<StorePart, StoreKind>> | undefined;
  /** Versions of the databases, where they are known. */
  readonly databases?: Databases | undefined;
}

type Request = Required<Omit<PathRequest, 'moveTo' | 'databases'>> & {
  readonly moveTo: Partial<Record<StorePart, StoreKind>>;
  readonly databases: Databases;
};

/**
 * The way from one server version to another: one minor at a time, each at its newest usable patch unless pinned; or one
 * minor back, with the servers alone.
 * @throws UnsupportedPathError when no way leads there: unknown or too old version, downgrade by more than one minor
 * @throws PreconditionError when a pin is no known version, or a version on the way does not have the store
 */
export function planPath(request: PathRequest): Path {
  const full: Request = {
    ...request,
    pins: request.pins ?? {},
    moveTo: request.moveTo ?? {},
    databases: request.databases ?? {},
  };
  const { catalogue, from, to, pins, stores } = full;
  checkPresent(catalogue, from, to);
  checkPins(catalogue, to, pins);
  checkStores(full);
  const goal = chooseGoal(full);
  const order = compareVersions(goal.version, from);
  if (order < 0) return pathBack(full, goal);
  const choices = order === 0 ? [] : choicesUpTo(full, goal);
  const hops = planHops(full, goal.version, choices);
  const path = [from, ...choices.map(({ version }) => version)];
  return {
    direction: order === 0 ? 'none' : 'forward',
    path,
    hops,
    findings: [
      ...presentFindings(catalogue, from, order),
      ...pinFindings(path, pins),
      ...endingStores(catalogue, goal.version, stores),
    ],
  };
}

function planHops(
  { catalogue, from, stores, moveTo, databases }: Request,
  goal: string,
  choices: readonly Choice[],
): Hop[] {
  const memory = memoryOf(catalogue);
  let present = { version: from, stores };
  let known = databases;
  return choices.map(({ version, reasons }) => {
    const moves = movesAt({ catalogue, at: present.version, goal, stores: present.stores, moveTo });
    const after = afterMoves(present.stores, moves);
    // What is known of a database says nothing of the one that takes its place.
    for (const { part } of moves) known = { ...known, [part]: undefined };
    const request = { catalogue, from: present.version, to: version, reasons, moves, stores: after, databases: known };
    present = { version, stores: after };
    return memory.hop(request);
  });
}

function pathBack({ catalogue, from, to, pins, stores }: Request, goal: Choice): Path {
  const below = minorBelow(catalogue, from);
  const sameMinor = minorOf(goal.version) === minorOf(from);
  if (!sameMinor && minorOf(goal.version) !== below) {
    throw new UnsupportedPathError(
      from,
      to,
      `the target runs ${from}; ${goal.version} is a downgrade by more than one minor. Temporal keeps compatibility between two ` +
        `successive minors only: roll back to ${below ?? 'no version'} at most, or restore the backups that were taken before the first hop`,
    );
  }
  const reasons: Reason[] = [
    sameMinor
      ? sequenceReason(catalogue, from, goal.version, UPGRADE_GUIDE)
      : {
          id: 'sequence',
          text: `one minor back at most: ${minorOf(from)} to ${minorOf(goal.version)}`,
          source: UPGRADE_GUIDE,
        },
    ...goal.reasons,
  ];
  const hop = planRollBack({ catalogue, from, to: goal.version, reasons, stores });
  const path = [from, goal.version];
  return {
    direction: 'back',
    path,
    hops: [hop],
    findings: [...presentFindings(catalogue, from, -1), ...pinFindings(path, pins)],
  };
}

/** The next minor below that of a version which has a release to use. */
function minorBelow(catalogue: Catalogue, version: string): string | undefined {
  const present = minorOf(version);
  return catalogue.minors.findLast(
    (facts) => compareVersions(facts.minor, present) < 0 && newestPatch(facts) !== undefined,
  )?.minor;
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

/** A store that the present version cannot have is a mistake in what was given; SQLite is none that can be upgraded. */
function checkStores({ catalogue, from, stores }: Request): void {
  for (const { part, kind } of partsOf(stores)) {
    if (kind === 'sqlite') {
      throw new PreconditionError(
        `the ${part} store is SQLite, which cannot be upgraded: in memory there is nothing to upgrade, as all is lost when the ` +
          'server stops; in a file its schema is never updated by a server or a tool. Delete the file and start anew on the newer ' +
          'version, or move to PostgreSQL, MySQL or Cassandra with a cluster of its own',
        { part, kind },
      );
    }
    schemaVersion(catalogue, from, kind, part);
  }
}

function chooseGoal({ catalogue, from, to, pins, stores }: Request): Choice {
  const askedFor: Reason = { id: 'asked-for', text: `${to} was asked for`, source: 'input' };
  if (isServerVersion(to)) {
    if (!isKnown(catalogue, to)) throw unknownVersion(catalogue, from, to, to);
    return { version: to, reasons: [askedFor] };
  }
  const facts = isMinor(to) ? minorFacts(catalogue, to) : undefined;
  const pinned = facts === undefined ? undefined : pins[facts.minor];
  const choice = pinned === undefined ? facts && choosePatch(catalogue, facts, kindsOf(stores)) : pinnedTo(pinned);
  if (choice === undefined) throw unknownVersion(catalogue, from, to, to);
  return { version: choice.version, reasons: [askedFor, ...choice.reasons] };
}

function pinnedTo(version: string): Choice {
  return { version, reasons: [{ id: 'pinned', text: `${version} is pinned`, source: 'input' }] };
}

/** All versions to pass through, the goal last: a patch of the present minor where it is needed, then minor by minor. */
function choicesUpTo(request: Request, goal: Choice): Choice[] {
  const { catalogue, from, pins, stores } = request;
  const lowest = minorOf(from);
  const highest = minorOf(goal.version);
  const choices = lowest === highest ? [] : [...patchFirst(request, goal.version), ...between()];
  const inOrder = [...choices, goal];
  return inOrder.map(({ version, reasons }, index) => {
    const previous = inOrder[index - 1]?.version ?? from;
    return { version, reasons: [sequenceReason(catalogue, previous, version, UPGRADE_GUIDE), ...reasons] };
  });

  function between(): Choice[] {
    return catalogue.minors
      .filter(({ minor }) => compareVersions(minor, lowest) > 0 && compareVersions(minor, highest) < 0)
      .map((facts) => {
        const pinned = pins[facts.minor];
        return pinned === undefined ? memoryOf(catalogue).choice(facts.minor, stores) : pinnedTo(pinned);
      })
      .filter((choice) => choice !== undefined);
  }
}

/** A newer patch of the present minor: pinned, or needed so that the first roll-back ends where the data can be borne. */
function patchFirst({ catalogue, from, pins, stores }: Request, goal: string): Choice[] {
  const pinned = pins[minorOf(from)];
  if (pinned !== undefined) return compareVersions(pinned, from) > 0 ? [pinnedTo(pinned)] : [];
  const next = catalogue.minors.find(({ minor }) => compareVersions(minor, minorOf(from)) > 0)?.minor ?? minorOf(goal);
  const floor = floorBelow(catalogue, from, next);
  const choice = floor === undefined ? undefined : memoryOf(catalogue).choice(minorOf(from), stores);
  if (floor === undefined || choice === undefined || compareVersions(choice.version, floor) < 0) return [];
  const reason: Reason = {
    id: 'roll-back-floor',
    text: `a roll-back from ${next} has to end at ${floor} or later: ${from} is not known to bear what ${next} writes`,
    source: `catalogue, roll-back target of ${minorOf(from)}`,
  };
  return [{ version: choice.version, reasons: [reason, ...choice.reasons] }];
}

/** What was worked out of a catalogue before: a path is made of hops that other paths have too. */
interface Memory {
  hop(request: Parameters<typeof planHop>[0]): Hop;
  choice(minor: string, stores: Stores): Choice | undefined;
}

const memories = new WeakMap<Catalogue, Memory>();

function memoryOf(catalogue: Catalogue): Memory {
  const found = memories.get(catalogue);
  if (found !== undefined) return found;
  const hops = new Map<string, Hop>();
  const choices = new Map<string, Choice | undefined>();
  const memory: Memory = {
    hop: (request) => remember(hops, JSON.stringify({ ...request, catalogue: undefined }), () => planHop(request)),
    choice: (minor, stores) => {
      const kinds = kindsOf(stores);
      return remember(choices, `${minor} ${kinds.join(' ')}`, () => {
        const facts = minorFacts(catalogue, minor);
        return facts && choosePatch(catalogue, facts, kinds);
      });
    },
  };
  memories.set(catalogue, memory);
  return memory;
}

function remember<T>(known: Map<string, T>, key: string, work: () => T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = work();
  known.set(key, made);
  return made;
}

function presentFindings(catalogue: Catalogue, from: string, order: number): Finding[] {
  const findings: Finding[] = [];
  if (order === 0) {
    findings.push({
      id: 'already-there',
      severity: 'note',
      found: `the target runs ${from} already; there is nothing to upgrade`,
      source: UPGRADE_GUIDE,
    });
  }
  if (isRetracted(catalogue, from)) {
    findings.push({
      id: 'present-retracted',
      severity: 'note',
      found: `the target runs ${from}, which its makers have retracted`,
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
      severity: 'warn',
      found: `the pin ${minor} = ${version} is not used: the path is ${path.join(', ')}`,
      expected: 'pins of minors that lie on the path',
      action: 'Leave it out, or correct it',
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
      'If it was released since, hand in a newer catalogue (docs/knowledge.md)',
  );
}

function knownPatches(catalogue: Catalogue, minor: string): string {
  const patches = minorFacts(catalogue, minor)?.patches;
  return patches === undefined ? `the catalogue knows no ${minor}` : `known are ${patches.join(', ')}`;
}
