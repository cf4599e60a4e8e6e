import { expect, test } from '@jest/globals';
import { ringsOf } from '../../src/adapters/cluster/tdbg.js';

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

test('refuses what is no list of rings', () => {
  expect(() => ringsOf({ role: 'frontend' })).toThrow();
});
