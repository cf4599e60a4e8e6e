import { expect, test } from '@jest/globals';
import { shardHistory } from '../../../src/core/settling/shard-history.js';

const row = (shardId: number, owner: string) => ({
  shardId,
  owner,
  rangeId: '1',
  updatedAt: '2026-01-01T10:00:00.000Z',
});
const A = '10.0.0.1:7234-1-a';
const B = '10.0.0.2:7234-1-b';

test('counts the shards of each owner at each look, and which of them moved', () => {
  const looks = [
    { at: 1, rows: [row(1, A), row(2, A), row(3, A)] },
    { at: 2, rows: [row(2, B)] },
    { at: 3, rows: [] },
    { at: 4, rows: [row(3, B), row(1, B)] },
  ];
  expect(shardHistory('live', looks, 10)).toEqual({
    name: 'live',
    owners: ['10.0.0.1:7234', '10.0.0.2:7234'],
    looks: [
      { at: 1, counts: [3, 0], moved: 0 },
      { at: 2, counts: [2, 1], moved: 1 },
      { at: 3, counts: [2, 1], moved: 0 },
      { at: 4, counts: [0, 3], moved: 2 },
    ],
  });
});

test('a shard that the same address took anew has moved; one whose row was only written has not', () => {
  const looks = [
    { at: 1, rows: [row(1, A)] },
    { at: 2, rows: [row(1, A)] },
    { at: 3, rows: [row(1, '10.0.0.1:7234-2-c')] },
  ];
  expect(shardHistory('live', looks, 10).looks.map(({ moved }) => moved)).toEqual([0, 0, 1]);
});

test('of many looks some are shown, the last one among them, and every move is counted', () => {
  const looks = Array.from({ length: 101 }, (_, index) => ({ at: index, rows: [row(1, index % 2 === 0 ? A : B)] }));
  const { looks: shown } = shardHistory('live', looks, 10);
  expect(shown.length).toBeLessThanOrEqual(11);
  expect(shown.at(-1)?.at).toBe(100);
  expect(shown.reduce((sum, { moved }) => sum + moved, 0)).toBe(100);
  for (const { counts } of shown) expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(1);
});
