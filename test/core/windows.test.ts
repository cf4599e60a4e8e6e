import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Windows } from '../../src/core/input/windows.js';
import { nextOpening } from '../../src/core/windows.js';

const NIGHTS = {
  timeZone: 'Europe/Berlin',
  open: [{ days: ['mon', 'tue', 'wed', 'thu'], from: '22:00', to: '05:00' }],
};
const opening = (windows: unknown, at: string) => {
  const moment = nextOpening(Windows.parse(windows), Date.parse(at));
  return moment === undefined ? undefined : new Date(moment).toISOString();
};

// 2026-01-05 is a Monday; Berlin is an hour ahead of UTC in winter, two in summer.
test.each([
  ['in the afternoon', '2026-01-05T15:00:00Z', '2026-01-05T21:00:00.000Z'],
  ['to the minute', '2026-01-05T21:00:00Z', '2026-01-05T21:00:00.000Z'],
  ['in it, before midnight', '2026-01-05T22:30:00Z', '2026-01-05T22:30:00.000Z'],
  ['in it, after midnight', '2026-01-06T03:59:59Z', '2026-01-06T03:59:59.000Z'],
  ['at its end', '2026-01-06T04:00:00Z', '2026-01-06T21:00:00.000Z'],
  ['in the last night of the week', '2026-01-09T03:00:00Z', '2026-01-09T03:00:00.000Z'],
  ['at the weekend', '2026-01-09T22:00:00Z', '2026-01-12T21:00:00.000Z'],
  ['in summer', '2026-07-06T15:00:00Z', '2026-07-06T20:00:00.000Z'],
])('nights of the week, %s', (_, at, expected) => {
  expect(opening(NIGHTS, at)).toBe(expected);
});

test.each([
  ['the day of a closed date', '2026-12-24T21:30:00Z', '2026-12-28T21:00:00.000Z'],
  ['a night that ends in a closed date', '2026-12-23T22:30:00Z', '2026-12-23T22:30:00.000Z'],
  ['its part after midnight', '2026-12-23T23:30:00Z', '2026-12-28T21:00:00.000Z'],
])('closed over Christmas: %s', (_, at, expected) => {
  expect(opening({ ...NIGHTS, closed: [{ from: '2026-12-24', to: '2026-12-27' }] }, at)).toBe(expected);
});

test('a night that begins in a closed date is open after it', () => {
  const closed = [{ from: '2026-01-05', to: '2026-01-05' }];
  expect(opening({ ...NIGHTS, closed }, '2026-01-05T22:30:00Z')).toBe('2026-01-05T23:00:00.000Z');
});

test('the earliest of several, whichever is written first', () => {
  const open = [
    { days: ['sat'], from: '08:00', to: '12:00' },
    { days: ['fri'], from: '18:00', to: '10:00' },
  ];
  expect(opening({ timeZone: 'UTC', open }, '2026-01-08T12:00:00Z')).toBe('2026-01-09T18:00:00.000Z');
  expect(opening({ timeZone: 'UTC', open }, '2026-01-10T11:00:00Z')).toBe('2026-01-10T11:00:00.000Z');
});

test('an hour that the clock leaves out is an hour later', () => {
  const open = [{ from: '02:30', to: '04:30' }];
  expect(opening({ timeZone: 'Europe/Berlin', open }, '2026-03-28T23:30:00Z')).toBe('2026-03-29T01:30:00.000Z');
});

test('windows that are closed for good do not open', () => {
  const closed = [{ from: '2026-01-01', to: '2028-01-01' }];
  expect(opening({ ...NIGHTS, closed }, '2026-01-05T15:00:00Z')).toBeUndefined();
});

test('what is found is the first open moment: open itself, and nothing open before it', () => {
  const time = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 30)).map(([h, m]) => clock(h, m));
  const days = fc.subarray(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], { minLength: 1 });
  const rule = fc.record({ days, from: time, to: time }).filter(({ from, to }) => from !== to);
  const written = fc.record({
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/New_York'),
    open: fc.array(rule, { minLength: 1, maxLength: 3 }),
  });
  const START = Date.parse('2026-03-20T00:00:00Z');
  const HALF_HOUR = 1_800_000;
  fc.assert(
    fc.property(written, fc.integer({ min: 0, max: 48 * 20 }), (text, halfHours) => {
      const windows = Windows.parse(text);
      const at = START + halfHours * HALF_HOUR;
      const first = nextOpening(windows, at) ?? Number.NaN;
      expect(first).toBeGreaterThanOrEqual(at);
      expect(nextOpening(windows, first)).toBe(first);
      for (let moment = at; moment < first; moment += HALF_HOUR) expect(nextOpening(windows, moment)).toBe(first);
    }),
    { numRuns: 300 },
  );
});

const clock = (hour: number, minute: number) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;

describe('is refused', () => {
  test.each<[unknown, RegExp]>([
    [{ ...NIGHTS, timeZone: 'Berlin' }, /time zone/],
    [{ ...NIGHTS, open: [] }, /.+/],
    [{ ...NIGHTS, open: [{ from: '22:00', to: '22:00' }] }, /the time at which it opens/],
    [{ ...NIGHTS, open: [{ from: '24:00', to: '05:00' }] }, /time of day/],
    [{ ...NIGHTS, open: [{ from: '22:00', to: '05:00', days: ['monday'] }] }, /mon/],
    [{ ...NIGHTS, closed: [{ from: '2026-12-24', to: '2026-12-20' }] }, /before "from"/],
    [{ ...NIGHTS, closed: [{ from: '24.12.2026', to: '2026-12-27' }] }, /such as "2026-12-24"/],
  ])('%j', (windows, why) => {
    const { error } = Windows.safeParse(windows);
    expect(error?.issues.map(({ message }) => message).join('; ')).toMatch(why);
  });
});
