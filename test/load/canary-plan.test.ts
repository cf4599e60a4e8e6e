import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mix, planCanary, valueOf, type CanaryKind } from '../../src/load/canary-plan.js';

const kinds: readonly CanaryKind[] = ['short', 'long'];
const numbers = fc.integer({ min: 0, max: 1_000_000_000 });

test('a plan depends on nothing but what it is given', () => {
  fc.assert(
    fc.property(numbers, fc.constantFrom(...kinds), (number, kind) => {
      expect(planCanary(number, kind, 'w')).toEqual(planCanary(number, kind, 'w'));
    }),
  );
});

test('ids are those of one number alone', () => {
  const idsOf = (number: number) => {
    const { activities, signals } = planCanary(number, 'short', `canary-x-${number}`);
    return [...activities.map(({ id }) => id), ...signals];
  };
  const all = Array.from({ length: 500 }, (_, number) => idsOf(number)).flat();
  expect(new Set(all).size).toBe(all.length);
});

test('timers of short canaries end within seconds, alarms of long ones within half an hour', () => {
  fc.assert(
    fc.property(numbers, (number) => {
      const short = planCanary(number, 'short', 'w');
      expect(short.alarmMs).toBeNull();
      for (const ms of short.timersMs) expect(ms > 0 && ms <= 2_000).toBe(true);
      const { alarmMs } = planCanary(number, 'long', 'w');
      expect(alarmMs !== null && alarmMs > 0 && alarmMs <= 1_802_000).toBe(true);
    }),
  );
});

test('a result changes when a step is left out, done twice or out of order', () => {
  fc.assert(
    fc.property(numbers, (number) => {
      const ids = planCanary(number, 'short', 'w').activities.map(({ id }) => id);
      const digest = (values: readonly string[]) => values.map(valueOf).reduce(mix, number);
      const others = [ids.slice(1), [...ids, ...ids.slice(0, 1)], [...ids].reverse()];
      for (const other of others) expect(digest(other)).not.toBe(digest(ids));
    }),
  );
});

test('any four canaries in a row do everything between them', () => {
  fc.assert(
    fc.property(numbers, (number) => {
      const plans = [0, 1, 2, 3].map((more) => planCanary(number + more, 'short', 'w'));
      const behaviours = plans.flatMap(({ activities }) => activities.map(({ behaviour }) => behaviour));
      expect(new Set(behaviours)).toEqual(new Set(['plain', 'flaky', 'slow']));
      expect(plans.some(({ childId }) => childId !== null)).toBe(true);
      expect(plans.some(({ signals }) => signals.length > 1)).toBe(true);
    }),
  );
});
