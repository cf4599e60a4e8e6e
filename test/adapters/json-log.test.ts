import { expect, test } from '@jest/globals';
import { jsonLine } from '../../src/adapters/json-log.js';

const ENTRY = { level: 'WARN', message: 'two\nlines', timestampNanos: 1_767_225_600_123_456_789n };

test('an entry is one line, with time, level and message', () => {
  const line = jsonLine({ ...ENTRY, meta: { workflowId: 'upgrade-live', attempt: 2 } });
  expect(line).not.toContain('\n');
  expect(JSON.parse(line)).toEqual({
    at: '2026-01-01T00:00:00.123Z',
    level: 'warn',
    message: 'two\nlines',
    workflowId: 'upgrade-live',
    attempt: 2,
  });
});

test('an error is told with its cause, a whole number of any size as text', () => {
  const error = new Error('outer', { cause: new TypeError('inner') });
  const { meta } = JSON.parse(jsonLine({ ...ENTRY, meta: { meta: { error, nanos: 1n << 70n } } })) as {
    meta: { error: unknown; nanos: unknown };
  };
  expect(meta).toMatchObject({
    error: {
      name: 'Error',
      message: 'outer',
      stack: expect.any(String),
      cause: { name: 'TypeError', message: 'inner' },
    },
    nanos: String(1n << 70n),
  });
});

test('what an entry carries does not hide what it is', () => {
  expect(JSON.parse(jsonLine({ ...ENTRY, meta: { level: 'debug', at: 'never', message: 'other' } }))).toEqual({
    at: '2026-01-01T00:00:00.123Z',
    level: 'warn',
    message: 'two\nlines',
  });
});
