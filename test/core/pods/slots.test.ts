import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hasNewerBefore, isPutBack, type SlotPod, slotsOf } from '../../../src/core/pods/slots.js';

const OLD = '1.30.7';
const NEW = '1.31.2';

/** A pod made at a second; named by it. */
const pod = (second: number, version: string | undefined, ending = false): SlotPod => ({
  name: `pod-${String(second).padStart(3, '0')}`,
  version,
  createdAt: new Date(second * 1_000).toISOString(),
  ending,
});
const names = (pods: readonly SlotPod[]) => pods.map(({ name }) => Number(name.slice(4)));

test.each([
  ['pods of one version as they were made', [pod(3, OLD), pod(1, OLD), pod(2, OLD)], [1, 2, 3]],
  [
    'new ones first as they were made, then old ones, the latest first',
    [pod(1, OLD), pod(2, OLD), pod(8, NEW), pod(7, NEW)],
    [7, 8, 2, 1],
  ],
  ['one whose version is not known last', [pod(1, undefined), pod(2, OLD), pod(3, NEW)], [3, 2, 1]],
])('%s', (_, pods, expected) => {
  expect(names(slotsOf(pods, { wanted: pods.length }).staying)).toEqual(expected);
});

test('one too many is of the version that goes; one that is ending has no slot', () => {
  const pods = [pod(1, OLD), pod(2, OLD), pod(3, NEW), pod(4, NEW), pod(5, NEW, true)];
  const forward = slotsOf(pods, { wanted: 3, coming: NEW });
  expect([names(forward.staying), names(forward.leaving)]).toEqual([
    [3, 4, 2],
    [1, 5],
  ]);
  const back = slotsOf(pods, { wanted: 3, coming: OLD });
  expect([names(back.staying), names(back.leaving)]).toEqual([
    [3, 2, 1],
    [4, 5],
  ]);
});

describe('newer pods that are ready keep the slots before the one that went back', () => {
  const ready = (version: string, is = true, ending = false) => ({ ...pod(1, version, ending), ready: is });
  test.each([
    ['put back in slot 2, the first one stays', [ready(NEW), ready(OLD), ready(OLD), ready(OLD)], 2, true],
    ['the last step of a way back takes it', [ready(NEW), ready(OLD), ready(OLD), ready(OLD)], 1, false],
    ['one that is not ready keeps nothing', [ready(NEW, false), ready(OLD), ready(OLD)], 2, false],
    ['nor does one that is ending', [ready(NEW, true, true), ready(OLD), ready(OLD)], 2, false],
    ['there is none', [ready(OLD), ready(OLD)], 2, false],
  ])('%s', (_, pods, slot, expected) => {
    expect(hasNewerBefore(pods, { version: OLD, slot })).toBe(expected);
  });

  test('on the way forward the older ones go with the last step', () => {
    const pods = [ready(NEW), ready(NEW), ready(OLD)];
    expect(hasNewerBefore(pods, { version: NEW, slot: 2 })).toBe(false);
  });
});

test.each([
  [
    'the second of a role, after its step forward',
    [pod(1, OLD), pod(2, OLD), pod(3, NEW), pod(4, NEW)],
    2,
    OLD,
    NEW,
    true,
  ],
  ['the first of a role', [pod(0, OLD), pod(1, OLD), pod(2, OLD), pod(3, NEW)], 1, OLD, NEW, true],
  [
    'one behind it, which is of the version before',
    [pod(1, OLD), pod(2, OLD), pod(3, NEW), pod(4, NEW)],
    3,
    OLD,
    NEW,
    false,
  ],
  ['the first step of a way back: none is too many', [pod(1, NEW), pod(2, NEW), pod(3, NEW)], 3, OLD, NEW, false],
  ['a later step of it', [pod(1, NEW), pod(2, NEW), pod(3, NEW), pod(4, OLD)], 2, OLD, OLD, false],
  ['forward again', [pod(1, NEW), pod(2, OLD), pod(3, OLD), pod(4, OLD)], 1, NEW, OLD, false],
] as const)('put back or not: %s', (_, pods, slot, version, coming, expected) => {
  expect(isPutBack(pods, { slot, version, wanted: 3, coming })).toBe(expected);
});

describe('a roll by surge', () => {
  /** What a controller does in one step: it takes one of the other version away where one is too many, and adds one. */
  const step = (pods: readonly SlotPod[], wanted: number, second: number, version: string): SlotPod[] => {
    const goes = pods.length > wanted ? pods.filter((one) => one.version !== version).at(-1) : undefined;
    return [...pods.filter((one) => one !== goes), pod(second, version)];
  };
  const finish = (pods: readonly SlotPod[], version: string) => pods.filter((one) => one.version === version);

  test('forward each step fills its own slot and leaves those before and behind it; back in the reverse order too', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 9 }), (wanted, reached) => {
        const steps = Math.min(wanted, reached);
        let pods = Array.from({ length: wanted }, (_, index) => pod(index, OLD));
        const versionsOf = (coming: string) => slotsOf(pods, { wanted, coming }).staying.map(({ version }) => version);
        for (let slot = 1; slot <= steps; slot += 1) {
          expect(versionsOf(NEW)[slot - 1]).toBe(OLD);
          pods = step(pods, wanted, 100 + slot, NEW);
          const expected = [...Array<string>(slot).fill(NEW), ...Array<string>(wanted - slot).fill(OLD)];
          expect(versionsOf(NEW)).toEqual(expected);
          const { staying } = slotsOf(pods, { wanted, coming: NEW });
          expect(staying[slot - 1]?.name).toBe(pod(100 + slot, NEW).name);
        }
        if (steps === wanted) pods = finish(pods, NEW);
        // Back from wherever it has come to: the template changes, and with it which version is one too many.
        for (let slot = wanted; slot >= 1; slot -= 1) {
          if (versionsOf(OLD)[slot - 1] === OLD) continue;
          pods = step(pods, wanted, 300 - slot, OLD);
          expect(versionsOf(OLD)[slot - 1]).toBe(OLD);
          expect(
            versionsOf(OLD)
              .slice(0, slot - 1)
              .filter((version) => version === OLD),
          ).toEqual([]);
        }
        expect(versionsOf(OLD)).toEqual(Array<string>(wanted).fill(OLD));
      }),
    );
  });

  test('whatever pods there are, each is staying or leaving, and no more stay than are wanted', () => {
    const anyPod = fc.record({
      second: fc.integer({ min: 0, max: 50 }),
      version: fc.constantFrom(OLD, NEW, '1.29.1', undefined),
      ending: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(anyPod, { selector: ({ second }) => second, maxLength: 12 }),
        fc.integer({ min: 0, max: 8 }),
        fc.constantFrom(OLD, NEW, undefined),
        (given, wanted, coming) => {
          const pods = given.map(({ second, version, ending }) => pod(second, version, ending));
          const { staying, leaving } = slotsOf(pods, { wanted, coming });
          expect(new Set([...staying, ...leaving])).toEqual(new Set(pods));
          expect(staying.length).toBe(Math.min(wanted, pods.filter(({ ending }) => !ending).length));
          expect(staying.filter(({ ending }) => ending)).toEqual([]);
          expect(slotsOf(pods.toReversed(), { wanted, coming })).toEqual({ staying, leaving });
        },
      ),
    );
  });
});
