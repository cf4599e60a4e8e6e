import { expect, test } from '@jest/globals';
import { linesAround } from '../../src/bench/roll/log-lines.js';

const line = (ts: string, msg: string) => JSON.stringify({ level: 'info', ts, msg });
const at = Date.parse('2026-01-01T00:00:10.000Z');

test('keeps the lines around a moment, with what has no time of its own after them', () => {
  const log = [
    line('2026-01-01T00:00:07.999Z', 'too early'),
    'belongs to it',
    line('2026-01-01T00:00:08.000Z', 'Draining traffic'),
    '\tat main.go:12',
    line('2026-01-01T02:00:12.000+0200', 'elsewhere on the clock'),
    line('2026-01-01T00:00:12.001Z', 'too late'),
    '',
  ].join('\n');
  const kept = linesAround(log, [at], 2_000);
  expect(kept).toHaveLength(3);
  expect(kept[0]).toContain('Draining traffic');
  expect(kept[1]).toBe('\tat main.go:12');
  expect(kept[2]).toContain('elsewhere');
});

test('keeps nothing where nothing failed', () => {
  expect(linesAround(line('2026-01-01T00:00:10Z', 'a'), [], 2_000)).toEqual([]);
});
