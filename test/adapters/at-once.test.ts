import { expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { allEnded, forEachAtOnce } from '../../src/adapters/at-once.js';

test('no more than so many at once, each once', async () => {
  const done: number[] = [];
  let [now, most] = [0, 0];
  await forEachAtOnce([1, 2, 3, 4, 5, 6, 7], { atOnce: 3 }, async (item) => {
    most = Math.max(most, (now += 1));
    await sleep(5);
    now -= 1;
    done.push(item);
  });
  expect(done.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(most).toBe(3);
});

test('after a failure none is begun, and those under way have ended when it throws', async () => {
  const [begun, ended] = [new Set<number>(), new Set<number>()];
  const work = async (item: number) => {
    begun.add(item);
    if (item === 1) throw new Error('the first one');
    await sleep(50);
    ended.add(item);
  };
  await expect(forEachAtOnce([1, 2, 3, 4, 5], { atOnce: 2 }, work)).rejects.toThrow('the first one');
  expect([...begun]).toEqual([1, 2]);
  expect([...ended]).toEqual([2]);
});

test('all have ended when the first failure is thrown', async () => {
  let ended = false;
  const slow = sleep(50).then(() => (ended = true));
  await expect(allEnded([slow, Promise.reject(new Error('the first one'))])).rejects.toThrow('the first one');
  expect(ended).toBe(true);
  expect(await allEnded([Promise.resolve(1), Promise.resolve(2)])).toEqual([1, 2]);
});
