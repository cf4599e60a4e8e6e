import { expect, test } from '@jest/globals';
import { shardsOf } from '../../src/adapters/cluster/history-host.js';

test('gives shards in order, and none of a host that has none', () => {
  expect(shardsOf({ shardsNumber: 3, shardIds: [8, 16, 2], address: 'a:1' })).toEqual([2, 8, 16]);
  expect(shardsOf({ shardsNumber: 0, shardIds: [], address: 'a:1' })).toEqual([]);
});

test('refuses a count of shards that does not fit the list', () => {
  expect(() => shardsOf({ shardsNumber: 3, shardIds: [], address: 'a:1' })).toThrow('3 shards');
});
