import { expect, test } from '@jest/globals';
import { hookSeconds, stopSecondsOf, type PreStopHook } from '../../../src/core/pods/stop-time.js';

test.each<[string, PreStopHook | undefined, number | undefined, number]>([
  ['none', undefined, 0, 60],
  ['one that sleeps', { sleep: { seconds: 20 } }, 20, 40],
  ['a command that sleeps', { exec: { command: ['/bin/sleep', '15'] } }, 15, 45],
  ['a shell that sleeps', { exec: { command: ['sh', '-c', 'sleep 15s'] } }, 15, 45],
  ['one that takes longer than there is', { sleep: { seconds: 90 } }, 90, 0],
  ['one that does something else', { exec: { command: ['/drain.sh', 'sleep', '5', 'more'] } }, undefined, 60],
  ['one of HTTP', {}, undefined, 60],
])('a grace period of 60 s, and a pre-stop hook: %s', (_, hook, takes, left) => {
  expect(hookSeconds(hook)).toBe(takes);
  expect(stopSecondsOf(60, hook)).toBe(left);
});
