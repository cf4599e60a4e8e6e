import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LoadPolicy } from '../../src/core/input/input.js';
import { SCENARIOS } from '../../src/load/canary-plan.js';
import { streamsOf, weightsOf } from '../../src/load/streams.js';

const policyOf = (more: object = {}) => LoadPolicy.parse(more);
const streams = (more: object = {}, ownWeights?: Record<string, number>) => {
  const policy = policyOf(more);
  return streamsOf(policy, { loadId: 'x', mix: weightsOf(policy), ownWeights });
};
const own = (workflowType: string, more: object = {}) => ({ workflowType, taskQueue: 'theirs', ...more });

/** How often each kind comes among the numbers from `from` on. */
function sharesOf(more: object, { from = 0, count = 1_000 }: { from?: number; count?: number } = {}) {
  const [mixed] = streams(more);
  const shares = new Map<string, number>();
  for (let number = from; number < from + count; number += 1) {
    const { kind = '' } = mixed?.choose(number) ?? {};
    shares.set(kind, (shares.get(kind) ?? 0) + 1 / count);
  }
  return shares;
}

test('a profile that says nothing has steps alone, in one namespace, on the queue of the cached worker', () => {
  const all = streams();
  expect(all).toHaveLength(1);
  expect(all[0]?.startsPerSecond).toBe(2);
  for (const number of [0, 1, 17, 1_000_000]) {
    expect(all[0]?.choose(number)).toEqual({
      kind: 'steps',
      command: { namespace: 'temporal-upgrade-canary', taskQueue: 'canary-x' },
    });
  }
});

test('everything is every scenario', () => {
  expect(new Set(sharesOf({ mix: 'everything' }, { count: 50 }).keys())).toEqual(new Set(SCENARIOS));
});

test('in any stretch of starts each scenario has the share that its weight gives it', () => {
  const weight = fc.double({ min: 0.2, max: 5, noNaN: true });
  fc.assert(
    fc.property(
      fc.record({ steps: weight, simple: weight, updates: weight }),
      fc.integer({ min: 0, max: 10_000_000 }),
      (mix, from) => {
        const shares = sharesOf({ mix }, { from, count: 300 });
        const total = mix.steps + mix.simple + mix.updates;
        for (const [kind, one] of Object.entries(mix)) {
          expect(Math.abs((shares.get(kind) ?? 0) - one / total)).toBeLessThan(0.03);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('the same number always gives the same choice', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), (number) => {
      const more = { mix: 'everything', uncachedShare: 0.5, moreNamespaces: ['b'], own: [own('t')] };
      expect(streams(more)[0]?.choose(number)).toEqual(streams(more)[0]?.choose(number));
    }),
  );
});

test('namespaces and the uncached worker get their shares, of every scenario', () => {
  const [mixed] = streams({ mix: 'everything', namespace: 'a', moreNamespaces: ['b'], uncachedShare: 0.25 });
  const places = new Map<string, number>();
  for (let number = 0; number < 4_000; number += 1) {
    const { kind, command } = mixed?.choose(number) ?? {};
    const place = `${kind} ${command?.namespace} ${command?.taskQueue}`;
    places.set(place, (places.get(place) ?? 0) + 1);
  }
  // Simple canaries have a worker of their own, which never keeps any.
  expect(places.size).toBe((SCENARIOS.length - 1) * 2 * 2 + 2);
  for (const [place, count] of places) {
    const share = place.endsWith('uncached') ? 0.25 : place.endsWith('simple') ? 1 : 0.75;
    const expected = (4_000 / SCENARIOS.length / 2) * share;
    expect(Math.abs(count - expected)).toBeLessThan(expected * 0.25);
  }
});

test('the operator’s own are weighed against the mix, or have a rate of their own', () => {
  const more = { mix: { steps: 1 }, own: [own('a', { weight: 3 }), own('b', { startsPerSecond: 7 })] };
  const shares = sharesOf(more);
  expect(shares.get('own')).toBeCloseTo(0.75, 1);
  const [, second, ...others] = streams(more);
  expect(others).toEqual([]);
  expect(second?.startsPerSecond).toBe(7);
  expect(second?.choose(1).command).toMatchObject({ namespace: 'default', own: { workflowType: 'b' } });
});

test('copied weights take the place of those of the profile; what was not started there is not started', () => {
  const [mixed] = streams({ mix: {}, own: [own('a'), own('b'), own('c')] }, { a: 0.9, b: 0.1 });
  const types = Array.from({ length: 200 }, (_, number) => mixed?.choose(number).command.own?.workflowType);
  expect(new Set(types)).toEqual(new Set(['a', 'b']));
  expect(types.filter((type) => type === 'a').length).toBeGreaterThan(170);
});

test.each([
  [{ scheduleEvery: '500ms' }, 'scheduleEvery'],
  [{ scheduleEvery: 1_500 }, 'scheduleEvery'],
  [{ mix: {} }, 'mix'],
  [{ mix: { stepps: 1 } }, 'mix'],
  [{ copyMixOf: { connection: { address: 'a:1' }, namespaces: ['x'] } }, 'copyMixOf'],
  [{ namespace: 'a', moreNamespaces: ['b', 'a'] }, 'moreNamespaces'],
])('a profile that cannot be is refused: %j', (more, field) => {
  const { error } = LoadPolicy.safeParse(more);
  expect(error?.issues.map(({ path }) => path[0])).toContain(field);
});
