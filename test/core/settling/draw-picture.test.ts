import { expect, test } from '@jest/globals';
import type { NodeState, ShardRow } from '../../../src/core/cluster.js';
import { drawPicture, waitingLines } from '../../../src/core/settling/draw-picture.js';
import { addressOf, namesOneLoad } from '../../../src/core/settling/owner.js';
import { processProblems } from '../../../src/core/settling/process-problems.js';
import { proveSettle, type SettleCase } from '../../../src/core/settling/prove-settle.js';
import { watchShards } from '../../../src/core/settling/shard-watch.js';
import { ShardPicture } from '../../../src/core/shard-picture.js';

const STARTED = '2026-01-01T10:00:00.000Z';
const AT = Date.parse('2026-01-01T10:05:00.000Z');
const row = (shardId: number, owner: string, updatedAt = '2026-01-01T10:01:00.000Z'): ShardRow => ({
  shardId,
  rangeId: '5',
  owner,
  updatedAt,
});

test('owners are drawn by address and version: new, of before, and strange ones', () => {
  const before = [1, 2, 3, 4].map((shardId) => row(shardId, '10.0.0.1:7234-1-old', '2026-01-01T09:00:00.000Z'));
  const after = [
    row(1, '10.0.0.1:7234-1-new'),
    row(2, '10.0.0.1:7234-1-new'),
    row(3, '10.0.0.1:7234-1-old', '2026-01-01T09:00:00.000Z'),
    row(4, '10.0.0.9:7234-1-strange'),
  ];
  const given: SettleCase = {
    shardCount: 4,
    before,
    beforeTakenAt: '2026-01-01T09:30:00.000Z',
    after,
    lookedAt: AT,
    owners: [
      { address: '10.0.0.1:7234', startedAt: STARTED },
      { address: '10.0.0.2:7234', startedAt: STARTED },
    ],
    ownedByNode: {},
    watch: watchShards(undefined, after, AT),
    demands: { steadyMs: 0, updates: 0 },
  };
  const proof = proveSettle(given);
  const picture = drawPicture(given, proof, { from: '1.30.7', to: '1.31.2' });
  expect(picture).toEqual({
    at: '2026-01-01T10:05:00.000Z',
    wanted: '1.31.2',
    shards: 4,
    owners: [
      { address: '10.0.0.1:7234', version: '1.31.2', shards: 2 },
      { address: '10.0.0.1:7234', version: '1.30.7', shards: 1 },
      { address: '10.0.0.9:7234', shards: 1 },
      { address: '10.0.0.2:7234', version: '1.31.2', shards: 0 },
    ],
    unproved: 4,
    waitsFor: [
      'history processes hold 0 shards in all, and the cluster has 4',
      expect.stringMatching(/^shard 1 its range id did not rise/),
      expect.stringMatching(/^shard 2 /),
      expect.stringMatching(/^shard 3 /),
      'and 1 more shards',
    ],
  });
  expect(ShardPicture.parse(picture)).toEqual(picture);
  expect(waitingLines(proof, 20)).toHaveLength(5);
});

test.each([
  ['10.0.0.1:7234-12-9b1c2f3a-0000', '10.0.0.1:7234', true],
  ['[::1]:7234-1-9b1c', '[::1]:7234', true],
  ['temporal-history-0.ns:7234-1-9b1c', 'temporal-history-0.ns:7234', true],
  ['10.0.0.1:7234', '10.0.0.1:7234', false],
  ['10.0.0.1:7234-', '10.0.0.1:7234-', false],
  ['', '', false],
  ['somebody', 'somebody', false],
])('the owner text "%s" is of %s', (text, address, oneLoad) => {
  expect(addressOf(text)).toBe(address);
  expect(namesOneLoad(text)).toBe(oneLoad);
});

test('a node that is down or behind is named', () => {
  const node = (name: string, more: Partial<NodeState>): NodeState => ({
    name,
    role: 'history',
    rpcAddress: `${name}:7234`,
    running: true,
    version: '1.31.2',
    ...more,
  });
  const fine = node('history-1', {});
  expect(processProblems([fine], '1.31.2')).toEqual([]);
  expect(
    processProblems(
      [
        fine,
        node('history-2', { running: false, version: undefined }),
        node('frontend-1', { role: 'frontend', version: '1.30.7' }),
        node('matching-1', { role: 'matching', version: undefined }),
      ],
      '1.31.2',
    ),
  ).toEqual([
    'history node history-2 (history-2:7234) is down',
    'frontend node frontend-1 runs 1.30.7, not 1.31.2',
    'matching node matching-1 runs an unknown version, not 1.31.2',
  ]);
  expect(processProblems([node('worker-1', { role: 'worker' })], '1.31.2')).toEqual([
    'there is no history node: nothing can own a shard',
  ]);
});
