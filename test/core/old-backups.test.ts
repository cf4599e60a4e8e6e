import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { oldBackups } from '../../src/core/old-backups.js';

const NOW = Date.parse('2026-11-23T00:00:00.000Z');
const daysAgo = (days: number) => new Date(NOW - days * 24 * 3_600_000).toISOString();

test('removes what is neither among the newest nor young', () => {
  const all = [40, 3, 35, 100].map((days) => ({ folder: `hop-${days}`, takenAt: daysAgo(days) }));
  expect(oldBackups(all, { hops: 2, days: 30 }, NOW)).toEqual(['hop-100', 'hop-40']);
  expect(oldBackups(all, { hops: 1, days: 30 }, NOW)).toEqual(['hop-100', 'hop-40', 'hop-35']);
  expect(oldBackups(all, { hops: 4, days: 0 }, NOW)).toEqual([]);
  expect(oldBackups(all, { hops: 1, days: 36 }, NOW)).toEqual(['hop-100', 'hop-40']);
});

test('whatever is asked for: the newest hops stay, and so does what is young', () => {
  const ages = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 30 });
  fc.assert(
    fc.property(ages, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 400 }), (days, hops, most) => {
      const all = days.map((age) => ({ folder: String(age), takenAt: daysAgo(age) }));
      const removed = oldBackups(all, { hops, days: most }, NOW).map(Number);
      const left = days.filter((age) => !removed.includes(age));
      expect(left.length).toBeGreaterThanOrEqual(Math.min(hops, days.length));
      for (const age of removed) {
        expect(age).toBeGreaterThan(most);
        expect(left.filter((other) => other < age).length).toBeGreaterThanOrEqual(hops);
      }
    }),
  );
});
