import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ShardRow } from '../../../src/core/cluster.js';
import { proveSettle, type SettleCase } from '../../../src/core/settling/prove-settle.js';
import { watchShards, type ShardWatch } from '../../../src/core/settling/shard-watch.js';

const NODES = ['127.0.0.1:7234', '127.0.0.2:7234'] as const;
const STARTED = '2026-11-21T10:00:00.000Z';
const uuid = '9b1c2f3a-0000-4000-8000-000000000001';
const LOOKED = Date.parse('2026-11-21T10:01:00.000Z');
const MINUTE = 60_000;

function settled(shardCount = 4): SettleCase {
  const ids = Array.from({ length: shardCount }, (_, index) => index + 1);
  const nodeOf = (shardId: number): string => NODES[shardId % 2 === 0 ? 1 : 0];
  return watched({
    shardCount,
    before: ids.map((shardId) => ({
      shardId,
      rangeId: '9',
      owner: `${nodeOf(shardId)}-1-${uuid}`,
      updatedAt: '2026-11-21T09:59:00.000Z',
    })),
    after: ids.map((shardId) => ({
      shardId,
      rangeId: '10', // above 9 as a number, below it as text
      owner: `${nodeOf(shardId)}-2-${uuid}`,
      updatedAt: '2026-11-21T10:00:01.000Z',
    })),
    beforeTakenAt: '2026-11-21T09:59:30.000Z',
    lookedAt: LOOKED,
    owners: NODES.map((address) => ({ address, startedAt: STARTED })),
    ownedByNode: {
      'history-1': ids.filter((shardId) => shardId % 2 !== 0),
      'history-2': ids.filter((shardId) => shardId % 2 === 0),
    },
    demands: { steadyMs: 2 * MINUTE, updates: 2 },
  });
}

/** As `given`, watched for ten minutes in which each owner wrote its rows every five. */
function watched(given: Omit<SettleCase, 'watch'>): SettleCase {
  const rowsAt = (minutes: number) =>
    given.after.map((row) => ({ ...row, updatedAt: later(row.updatedAt, minutes * MINUTE) }));
  let watch: ShardWatch | undefined;
  for (const minutes of [-10, -5, 0]) watch = watchShards(watch, rowsAt(minutes), LOOKED + minutes * MINUTE);
  return { ...given, watch: watch ?? { since: 0, at: 0, shards: new Map() } };
}

function later(time: string, ms: number): string {
  const at = Date.parse(time) + ms;
  return Number.isNaN(at) ? time : new Date(at).toISOString();
}

const withRow = (given: SettleCase, shardId: number, changes: Partial<ShardRow>): SettleCase =>
  watched({ ...given, after: given.after.map((row) => (row.shardId === shardId ? { ...row, ...changes } : row)) });

test('every shard taken by a new process, once, is the proof', () => {
  expect(proveSettle(settled())).toEqual({
    proved: true,
    missingCount: 0,
    missing: [],
    problems: [],
    owned: { '127.0.0.1:7234': 2, '127.0.0.2:7234': 2 },
  });
});

test('what a process keeps that was not replaced, as in the roll-back of half a roll, need not move', () => {
  const given = settled();
  const kept = withRow(given, 1, { owner: given.before[0]?.owner ?? '', rangeId: '9', updatedAt: STARTED });
  const [first, ...others] = given.owners;
  const unreplaced = { address: first?.address ?? '', startedAt: '2026-11-21T09:00:00.000Z' };
  expect(proveSettle({ ...kept, owners: [unreplaced, ...others] }).proved).toBe(true);
  expect(proveSettle(kept).proved).toBe(false);
});

test('an owner text without a suffix, as 1.20 writes it, is proved by time and range id alone', () => {
  const given = settled();
  const plain = (rows: readonly ShardRow[]) => rows.map((row) => ({ ...row, owner: row.owner.split('-')[0] ?? '' }));
  const bare = watched({ ...given, before: plain(given.before), after: plain(given.after) });
  expect(proveSettle(bare).proved).toBe(true);
  expect(proveSettle(withRow(bare, 1, { rangeId: '9' })).missing).toEqual([
    { shardId: 1, reason: 'its range id did not rise: 9, now 9' },
  ]);
  expect(proveSettle(withRow(bare, 1, { updatedAt: STARTED })).proved).toBe(false);
  expect(proveSettle(withRow(bare, 1, { owner: '127.0.0.3:7234' })).proved).toBe(false);
});

test('range ids are 64 bits wide', () => {
  const given = settled(1);
  const wide = { ...given, before: given.before.map((row) => ({ ...row, rangeId: '9007199254740992' })) };
  expect(proveSettle(withRow(wide, 1, { rangeId: '9007199254740993' })).proved).toBe(true);
  expect(proveSettle(withRow(wide, 1, { rangeId: '9007199254740992' })).proved).toBe(false);
});

describe('no proof, and the shard and the reason are named', () => {
  const given = settled();
  test.each<[string, SettleCase, RegExp]>([
    ['range id as before', withRow(given, 2, { rangeId: '9' }), /range id did not rise: 9, now 9/],
    ['range id fell', withRow(given, 2, { rangeId: '8' }), /did not rise/],
    ['range id is no number', withRow(given, 2, { rangeId: '' }), /did not rise/],
    ['owner as before', withRow(given, 2, { owner: given.before[1]?.owner ?? '' }), /its owner is still 127/],
    [
      'owner is an old process',
      withRow(given, 2, { owner: `127.0.0.3:7234-2-${uuid}` }),
      /127\.0\.0\.3:7234-2-.* is no process of the wanted/,
    ],
    ['owner of a longer port', withRow(given, 2, { owner: `127.0.0.2:72345-2-${uuid}` }), /no process of the wanted/],
    ['owner of a longer host', withRow(given, 2, { owner: `x127.0.0.2:7234-2-${uuid}` }), /no process of the wanted/],
    ['owner without a sequence', withRow(given, 2, { owner: '127.0.0.2:7234-' }), /no process of the wanted/],
    ['no owner', withRow(given, 2, { owner: '' }), /its owner, nobody, is no/],
    [
      'written by the process before at the same address',
      withRow(given, 2, { updatedAt: STARTED }),
      /not after its owner/,
    ],
    ['written at no time', withRow(given, 2, { updatedAt: '' }), /not after its owner/],
    ['row gone', { ...given, after: given.after.filter(({ shardId }) => shardId !== 2) }, /has no row now/],
    ['no row before', { ...given, before: given.before.filter(({ shardId }) => shardId !== 2) }, /no row from before/],
    ['row twice', { ...given, after: [...given.after, ...given.after.slice(1, 2)] }, /more than one row/],
    [
      'held by nobody',
      { ...given, ownedByNode: { ...given.ownedByNode, 'history-2': [4] } },
      /no history process says/,
    ],
    ['held twice', { ...given, ownedByNode: { ...given.ownedByNode, 'history-1': [1, 2, 3] } }, /2 history processes/],
  ])('%s', (_, broken, reason) => {
    const proof = proveSettle(broken);
    expect(proof.proved).toBe(false);
    expect(proof.missing).toEqual([{ shardId: 2, reason: expect.stringMatching(reason) }]);
  });

  test('a start time that is none proves nothing', () => {
    const owners = given.owners.map(({ address }) => ({ address, startedAt: '' }));
    expect(proveSettle({ ...given, owners })).toMatchObject({ proved: false, missingCount: 4 });
  });

  test('a shard beyond the count of the cluster', () => {
    const proof = proveSettle({ ...given, ownedByNode: { ...given.ownedByNode, 'history-3': [5] } });
    expect(proof).toMatchObject({ proved: false, missing: [{ shardId: 5 }] });
  });

  test('no shards at all', () => {
    expect(proveSettle(settled(0)).proved).toBe(false);
  });

  test('no processes of the wanted version', () => {
    expect(proveSettle({ ...given, owners: [] })).toMatchObject({ proved: false, missingCount: 4, owned: {} });
  });
});

test('all that are missing are counted, the first twenty listed', () => {
  const proof = proveSettle({ ...settled(512), after: [] });
  expect(proof.missingCount).toBe(512);
  expect(proof.missing.map(({ shardId }) => shardId)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
});

describe('what one look cannot show', () => {
  const given = settled();
  const bad = given.after[1] ?? { shardId: 2, rangeId: '10', owner: '', updatedAt: '' };
  /** Shard 2 as it was seen, look by look, minutes before the last one; the others as they should be. */
  const seenAs = (...looks: readonly [minutes: number, changes: Partial<ShardRow>][]): SettleCase => {
    let watch: ShardWatch | undefined;
    for (const [minutes, changes] of looks) {
      const rows = given.after.map((row) => ({ ...row, updatedAt: later(row.updatedAt, minutes * MINUTE) }));
      watch = watchShards(
        watch,
        rows.map((row) => (row.shardId === 2 ? { ...row, ...changes } : row)),
        LOOKED + minutes * MINUTE,
      );
    }
    return { ...given, watch: watch ?? given.watch };
  };
  const other = { owner: `${NODES[0]}-3-${uuid}` };

  test.each<[string, SettleCase, RegExp]>([
    [
      'its owner changed a minute ago',
      seenAs([-10, other], [-5, other], [-1, {}], [0, {}]),
      /changed its owner once while it was watched, last seen at 2026-11-21T10:00:00.000Z; no change for 2m is asked/,
    ],
    [
      'its owners flip',
      seenAs([-10, {}], [-6, other], [-4, {}], [-2, other], [-1, {}], [0, {}]),
      /changed its owner 4 times/,
    ],
    [
      'it came back to the same address, as another load of it',
      seenAs(
        [-10, { owner: bad.owner.replace('-2-', '-1-') }],
        [-5, { owner: bad.owner.replace('-2-', '-1-') }],
        [0, {}],
      ),
      /changed its owner once/,
    ],
    [
      'written once',
      seenAs(
        [-10, { updatedAt: bad.updatedAt }],
        [-5, { updatedAt: bad.updatedAt }],
        [0, { updatedAt: later(bad.updatedAt, 1) }],
      ),
      /was written once since .*, when its owner was first seen; 2 times asked for/,
    ],
    [
      'never written since its owner took it',
      seenAs([-10, { updatedAt: bad.updatedAt }], [-5, { updatedAt: bad.updatedAt }], [0, {}]),
      /was written never since/,
    ],
    [
      'written twice, by the owner before',
      seenAs([-10, other], [-8, other], [-6, other], [-5, { updatedAt: bad.updatedAt }], [0, {}]),
      /was written never since/,
    ],
    [
      'another owner than was watched',
      {
        ...given,
        after: given.after.map((row) => (row.shardId === 2 ? { ...row, owner: `${NODES[0]}-9-${uuid}` } : row)),
      },
      /is not the one that was watched/,
    ],
  ])('%s', (_, broken, reason) => {
    const proof = proveSettle(broken);
    expect(proof).toMatchObject({ proved: false, missing: [{ shardId: 2, reason: expect.stringMatching(reason) }] });
  });

  test('a watch that is shorter than the quiet it is to show', () => {
    const { missing, missingCount } = proveSettle(seenAs([-1, {}], [0, {}]));
    expect(missingCount).toBe(4);
    expect(missing[0]?.reason).toBe('is watched since 2026-11-21T10:00:00.000Z only; no change for 2m is asked');
  });

  test('a shard that was never seen', () => {
    const shards = new Map([...given.watch.shards].filter(([shardId]) => shardId !== 2));
    const proof = proveSettle({ ...given, watch: { ...given.watch, shards } });
    expect(proof).toMatchObject({ proved: false, missing: [{ shardId: 2 }] });
  });

  test('the quiet is counted from the end of a look to the beginning of the next', () => {
    expect(proveSettle({ ...given, demands: { steadyMs: 10 * MINUTE, updates: 2 } }).proved).toBe(true);
    const slow = { ...given, lookedAt: LOOKED - 1, demands: { steadyMs: 10 * MINUTE, updates: 2 } };
    expect(proveSettle(slow)).toMatchObject({ proved: false, missingCount: 4 });
  });

  test('where the settle was shortened, no write and less quiet is asked for', () => {
    const short = seenAs([-1, { updatedAt: bad.updatedAt }], [0, {}]);
    expect(proveSettle({ ...short, demands: { steadyMs: MINUTE, updates: 0 } }).proved).toBe(true);
    expect(proveSettle({ ...short, demands: { steadyMs: MINUTE + 1, updates: 0 } }).proved).toBe(false);
    expect(proveSettle({ ...short, demands: { steadyMs: MINUTE, updates: 1 } }).proved).toBe(false);
  });
});

test('processes that hold more or fewer shards than there are is a problem of the whole', () => {
  const given = settled();
  const { problems, missing } = proveSettle({ ...given, ownedByNode: { ...given.ownedByNode, stray: [2] } });
  expect(problems).toEqual(['history processes hold 5 shards in all, and the cluster has 4']);
  expect(missing).toEqual([{ shardId: 2, reason: '2 history processes say that they hold it' }]);
});

/** Ways in which one shard may be wrong. */
const BREAKS: readonly ((given: SettleCase, shardId: number) => SettleCase)[] = [
  (given, shardId) => withRow(given, shardId, { rangeId: '9' }),
  (given, shardId) => withRow(given, shardId, { owner: `127.0.0.9:7234-2-${uuid}` }),
  (given, shardId) => withRow(given, shardId, { owner: '' }),
  (given, shardId) => withRow(given, shardId, { updatedAt: STARTED }),
  (given, shardId) => ({ ...given, after: given.after.filter((row) => row.shardId !== shardId) }),
  (given, shardId) => ({ ...given, before: given.before.filter((row) => row.shardId !== shardId) }),
  (given, shardId) => ({ ...given, after: [...given.after, ...given.after.filter((row) => row.shardId === shardId)] }),
  (given, shardId) => ({
    ...given,
    ownedByNode: mapIds(given.ownedByNode, (ids) => ids.filter((id) => id !== shardId)),
  }),
  (given, shardId) => ({ ...given, ownedByNode: { ...given.ownedByNode, stray: [shardId] } }),
  (given, shardId) => withSeen(given, shardId, { ownerSince: LOOKED - MINUTE, changes: 1 }),
  (given, shardId) => withSeen(given, shardId, { updates: 1 }),
];

const mapIds = (owned: SettleCase['ownedByNode'], change: (ids: readonly number[]) => readonly number[]) =>
  Object.fromEntries(Object.entries(owned).map(([node, ids]) => [node, change(ids)]));

function withSeen(given: SettleCase, shardId: number, changes: object): SettleCase {
  const shards = new Map(given.watch.shards);
  const seen = shards.get(shardId);
  if (seen !== undefined) shards.set(shardId, { ...seen, ...changes });
  return { ...given, watch: { ...given.watch, shards } };
}

describe('laws', () => {
  const cases = fc.integer({ min: 1, max: 64 });

  test('those owned make up the count, and any one shard that is wrong in any way breaks the proof and is named', () => {
    fc.assert(
      fc.property(cases, fc.nat(), fc.constantFrom(...BREAKS), (shardCount, pick, breakIt) => {
        const given = settled(shardCount);
        const proof = proveSettle(given);
        expect(proof.proved).toBe(true);
        expect(Object.values(proof.owned).reduce((sum, count) => sum + count, 0)).toBe(shardCount);
        const shardId = (pick % shardCount) + 1;
        const broken = proveSettle(breakIt(given, shardId));
        expect(broken).toMatchObject({ proved: false, missingCount: 1 });
        expect(broken.missing[0]?.shardId).toBe(shardId);
      }),
    );
  });

  test('adding a bad shard to whatever there is never proves anything', () => {
    const broken = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...BREAKS)), { maxLength: 5 });
    fc.assert(
      fc.property(cases, broken, fc.nat(), fc.constantFrom(...BREAKS), (shardCount, breaks, pick, one) => {
        const shardId = (pick % shardCount) + 1;
        const others = breaks
          .map(([number, breakIt]) => [(number % shardCount) + 1, breakIt] as const)
          .filter(([other]) => other !== shardId);
        const whatever = others.reduce((given, [other, breakIt]) => breakIt(given, other), settled(shardCount));
        const more = proveSettle(one(whatever, shardId));
        expect(more.proved).toBe(false);
        expect(more.missing.map((shard) => shard.shardId)).toContain(shardId);
      }),
    );
  });

  test('a shard beyond the count never proves anything', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1 }), (shardCount, beyond) => {
        const given = settled(shardCount);
        const extra = { ...given.after[0], shardId: shardCount + beyond } as ShardRow; // the first row is always there
        expect(proveSettle({ ...given, after: [...given.after, extra] }).proved).toBe(false);
      }),
    );
  });

  test('the order of rows does not matter', () => {
    fc.assert(
      fc.property(cases, (shardCount) => {
        const given = settled(shardCount);
        const turned = { ...given, before: given.before.toReversed(), after: given.after.toReversed() };
        expect(proveSettle(turned)).toEqual(proveSettle(given));
      }),
    );
  });
});
