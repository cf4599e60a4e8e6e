import { expect, test } from '@jest/globals';
import { ringsOf } from '../../../src/adapters/cluster/rings.js';

test('sorts the members of each role, so that two views can be held against each other', () => {
  const answered = [
    { role: 'history', members: [{ identity: '127.0.0.2:17234' }, { identity: '127.0.0.1:17234' }] },
    { role: 'worker', members: [] },
  ];
  expect(ringsOf(answered)).toEqual({ history: ['127.0.0.1:17234', '127.0.0.2:17234'], worker: [] });
});

test('an answer without rings is none: every process would look as if it had left', () => {
  expect(() => ringsOf([])).toThrow('names no ring');
});
