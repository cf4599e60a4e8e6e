import { expect, test } from '@jest/globals';
import { readStatus } from '../../../src/adapters/command/node-status.js';

test.each(['', ' \n', '{}', '{"running": false}'])('%j: nothing runs', (printed) => {
  expect(readStatus('history-1', printed)).toBeUndefined();
});

test('what runs, with its times in UTC and what else is printed left out', () => {
  expect(
    readStatus(
      'history-1',
      '{"version": "1.30.7", "startedAt": "2026-01-31T13:00:00+01:00", "running": true, "host": "a"}',
    ),
  ).toEqual({ version: '1.30.7', startedAt: '2026-01-31T12:00:00.000Z', instance: '2026-01-31T12:00:00.000Z' });
  expect(
    readStatus('history-1', '{"version": "1.30.7", "startedAt": "2026-01-31T12:00:00Z", "instance": "a:17"}\n'),
  ).toMatchObject({ instance: 'a:17' });
});

test.each([
  ['1.30.7', /status command of history-1 printed "1\.30\.7"; expected \{"version"/],
  ['active', /printed "active"/],
  ['null', /printed "null"/],
  ['{"running": true}', /version/],
  ['{"version": "1.30.7"}', /startedAt: expected when the process began/],
  ['{"version": "newest", "startedAt": "2026-01-31T12:00:00Z"}', /version: expected a version in full/],
  ['{"version": "1.30.7", "startedAt": "yesterday"}', /startedAt: expected when/],
])('%s is refused, not guessed at', (printed, message) => {
  expect(() => readStatus('history-1', printed)).toThrow(message);
});
