import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ShardRow } from '../../src/core/cluster.js';
import { proveSettle, type SettleCase } from '../../src/core/settle.js';

const NODES = ['127.0.0.1:7234', '127.0.0.2:7234'] as const;
const STARTED = '2026-11-21T10:00:00.000Z';
const uuid = '9b1c2f3a-0000-4000-8000-000000000001';

function settled(shardCount = 4): SettleCase {
  const ids = Array.from({ length: shardCount }, (_, index) => index + 1);
  const nodeOf = (shardId: number): string => NODES[shardId % 2 === 0 ? 1 : 0];
  return {
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
    owners: NODES.map((address) => ({ address, startedAt: STARTED })),
    ownedByNode: {
      'history-1': ids.filter((shardId) => shardId % 2 !== 0),
      'history-2': ids.filter((shardId) => shardId % 2 === 0),
    },
  };
}

const withRow = (given: SettleCase, shardId: number, changes: Partial<ShardRow>): SettleCase => ({
  ...given,
  after: given.after.map((row) => (row.shardId === shardId ? { ...row, ...changes } : row)),
});

test('every shard taken by a new process, once, is the proof', () => {
  expect(proveSettle(settled())).toEqual({
    proved: true,
    missingCount: 0,
    missing: [],
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
  const bare = { ...given, before: plain(given.before), after: plain(given.after) };
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

test('the proof accounts for every shard: those owned make up the count, and leaving any out breaks it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.nat(), (shardCount, pick) => {
      const given = settled(shardCount);
      const proof = proveSettle(given);
      expect(proof.proved).toBe(true);
      expect(Object.values(proof.owned).reduce((sum, count) => sum + count, 0)).toBe(shardCount);
      const left = (pick % shardCount) + 1;
      expect(proveSettle({ ...given, after: given.after.filter(({ shardId }) => shardId !== left) }).proved).toBe(
        false,
      );
      const lost = Object.fromEntries(
        Object.entries(given.ownedByNode).map(([node, ids]) => [node, ids.filter((id) => id !== left)]),
      );
      expect(proveSettle({ ...given, ownedByNode: lost }).proved).toBe(false);
    }),
  );
});
