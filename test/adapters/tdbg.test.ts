import { expect, test } from '@jest/globals';
import { ringsOf, shardsOf } from '../../src/adapters/cluster/tdbg.js';

test('reads the rings as tdbg 1.28 to 1.31 prints them', () => {
  const printed = [
    { role: 'frontend', member_count: 1, members: [{ identity: '127.0.0.1:17233' }] },
    { role: 'history', member_count: 2, members: [{ identity: '127.0.0.2:17234' }, { identity: '127.0.0.1:17234' }] },
    { role: 'worker' },
  ];
  expect(ringsOf(printed)).toEqual({
    frontend: ['127.0.0.1:17233'],
    history: ['127.0.0.1:17234', '127.0.0.2:17234'],
    worker: [],
  });
});

test('reads shards in order, and none of a host that has none', () => {
  expect(shardsOf({ shardsNumber: 3, shardIds: [8, 16, 2], address: 'a:1' })).toEqual([2, 8, 16]);
  expect(shardsOf({ address: 'a:1' })).toEqual([]);
});

test('refuses a count of shards that does not fit the list', () => {
  expect(() => shardsOf({ shardsNumber: 3, address: 'a:1' })).toThrow('3 shards');
  expect(() => ringsOf({ role: 'frontend' })).toThrow();
});
