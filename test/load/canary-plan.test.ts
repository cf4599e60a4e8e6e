import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  activityValueOf,
  answerTo,
  mix,
  planCanary,
  resultOf,
  SCENARIOS,
  type CanaryKind,
} from '../../src/load/canary-plan.js';

const kinds: readonly CanaryKind[] = [...SCENARIOS, 'long'];
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
    const kind = kinds[number % kinds.length] ?? 'steps';
    const runs = Array.from({ length: planCanary(number, kind, 'w').runs }, (_, run) => run);
    const activities = runs.flatMap((run) => planCanary(number, kind, 'w', run).activities.map(({ id }) => id));
    return [...activities, ...planCanary(number, kind, 'w').calls.map(({ id }) => id)];
  };
  const all = Array.from({ length: 800 }, (_, number) => idsOf(number)).flat();
  expect(new Set(all).size).toBe(all.length);
});

test('timers of short canaries end within seconds, alarms of long ones within half an hour', () => {
  fc.assert(
    fc.property(numbers, (number) => {
      const short = planCanary(number, 'steps', 'w');
      expect(short.alarmMs).toBeNull();
      for (const ms of short.timersMs) expect(ms > 0 && ms <= 2_000).toBe(true);
      const { alarmMs } = planCanary(number, 'long', 'w');
      expect(alarmMs !== null && alarmMs > 0 && alarmMs <= 1_802_000).toBe(true);
    }),
  );
});

test('a result changes when a step is left out, done twice or out of order', () => {
  fc.assert(
    fc.property(numbers, fc.constantFrom(...kinds), (number, kind) => {
      const { runs, calls, childId } = planCanary(number, kind, 'w');
      const activities = Array.from({ length: runs }, (_, run) => planCanary(number, kind, 'w', run).activities).flat();
      const values = activities.map(({ id, behaviour }) => activityValueOf(id, behaviour));
      const digest = (all: readonly number[]) => all.reduce(mix, number);
      // With neither calls nor child the values of its activities are the whole result.
      if (calls.every(({ call }) => call === 'query') && childId === null)
        expect(digest(values)).toBe(resultOf(number, kind).digest);
      const others = [values.slice(1), [...values, ...values.slice(0, 1)]];
      if (values.length > 1) others.push([...values].reverse());
      for (const other of others) expect(digest(other)).not.toBe(digest(values));
    }),
    { numRuns: 50 },
  );
});

test('a query is answered by how many signals went before it', () => {
  const plan = planCanary(5, 'queries', 'w');
  const answers = plan.calls.map((_, index) => answerTo(plan, index));
  expect(plan.calls.map(({ call }) => call)).toEqual(['query', 'signal', 'query']);
  expect([answers[0]?.signals, answers[2]?.signals]).toEqual([0, 1]);
  expect(answers[0]?.value).not.toBe(answers[2]?.value);
});

test('any four canaries in a row do everything between them', () => {
  fc.assert(
    fc.property(numbers, (number) => {
      const plans = [0, 1, 2, 3].map((more) => planCanary(number + more, 'steps', 'w'));
      const behaviours = plans.flatMap(({ activities }) => activities.map(({ behaviour }) => behaviour));
      expect(new Set(behaviours)).toEqual(new Set(['plain', 'flaky', 'slow']));
      expect(plans.some(({ childId }) => childId !== null)).toBe(true);
      expect(plans.some(({ calls }) => calls.length > 1)).toBe(true);
    }),
  );
});
