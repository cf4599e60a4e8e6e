import { expect, test } from '@jest/globals';
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { currentWork, guard, keepForNextAttempt, keptBefore, reportProgress } from '../../src/activities/guard.js';
import { CommandError } from '../../src/adapters/run-command.js';
import { ToolUnavailableError } from '../../src/adapters/tools/tool-unavailable.js';
import { InvalidRolloutError, PreconditionError, UnsupportedPathError } from '../../src/core/errors.js';

/** The failures here are meant, and need no log. */
const quietEnvironment = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => undefined) });

/** What a guarded activity fails with when its body throws `error`. */
async function failureOf(error: Error): Promise<unknown> {
  const { activity } = guard({ activity: () => Promise.reject(error) });
  return quietEnvironment()
    .run(activity, undefined)
    .then(
      () => undefined,
      (failure: unknown) => failure,
    );
}

const problems = [{ path: 'live.name', message: 'missing' }];

test.each<[string, Error, { type: string; nonRetryable: boolean; details?: unknown[] }]>([
  [
    'a wrong input',
    new InvalidRolloutError(problems),
    { type: 'InvalidRollout', nonRetryable: true, details: [problems] },
  ],
  ['no path', new UnsupportedPathError('1.27.3', '1.26.0', 'no'), { type: 'UnsupportedPath', nonRetryable: true }],
  [
    'a precondition',
    new PreconditionError('down', { a: 1 }),
    { type: 'Precondition', nonRetryable: false, details: [{ a: 1 }] },
  ],
  [
    'a missing tool',
    new ToolUnavailableError('temporal-sql-tool', '1.30.7', []),
    { type: 'ToolUnavailable', nonRetryable: true },
  ],
  ['a failed tool', new CommandError('pg_dump', 1, 'no', 5, 'ended'), { type: 'CommandFailed', nonRetryable: false }],
])('%s becomes a failure with a stable type', async (_, error, expected) => {
  const failure = await failureOf(error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({
    message: error.message,
    nonRetryable: expected.nonRetryable,
    type: expected.type,
  });
  if (expected.details !== undefined) expect((failure as ApplicationFailure).details).toEqual(expected.details);
});

test('a failure that has a type already, and a bug, stay what they are', async () => {
  const typed = ApplicationFailure.nonRetryable('busy', 'ClusterBusy');
  const bug = new TypeError('undefined is not a function');
  expect(await failureOf(typed)).toBe(typed);
  expect(await failureOf(bug)).toBe(bug);
});

test('an activity that was cancelled ends as cancelled, whatever its tool made of it', async () => {
  const environment = quietEnvironment();
  const { activity } = guard({
    activity: () =>
      new Promise((_, reject) => {
        currentWork().signal?.addEventListener('abort', () =>
          reject(new CommandError('pg_dump', undefined, '', 1, 'was cancelled')),
        );
      }),
  });
  const running = environment.run(activity, undefined);
  environment.cancel();
  await expect(running).rejects.toBeInstanceOf(CancelledFailure);
});

test('an activity heartbeats by itself, with the progress that it reported last', async () => {
  const environment = quietEnvironment();
  const beats: unknown[] = [];
  const two = new Promise<void>((resolve) => {
    environment.on('heartbeat', (details: unknown) => {
      beats.push(details);
      if (beats.length === 2) resolve();
    });
  });
  const { activity } = guard({
    activity: async () => {
      reportProgress({ samples: 1 });
      await two;
    },
  });
  await environment.run(activity, undefined);
  expect(beats).toEqual([{ samples: 1 }, { samples: 1 }]);
});

test('what one attempt keeps goes with its heartbeats, and the next attempt finds it', async () => {
  const beats: unknown[] = [];
  const { activity } = guard({
    activity: () => {
      reportProgress({ waitsFor: 'the meter' });
      keepForNextAttempt({ from: 1, to: 2 });
      reportProgress({ examined: 3 });
      return Promise.resolve(keptBefore());
    },
  });
  const first = new MockActivityEnvironment();
  first.on('heartbeat', (details) => beats.push(details));
  expect(await first.run(activity, undefined as never)).toBeUndefined();
  expect(beats).toEqual([
    { waitsFor: 'the meter' },
    { progress: { waitsFor: 'the meter' }, kept: { from: 1, to: 2 } },
    { progress: { examined: 3 }, kept: { from: 1, to: 2 } },
  ]);
  const second = new MockActivityEnvironment({ heartbeatDetails: beats.at(-1) });
  expect(await second.run(activity, undefined as never)).toEqual({ from: 1, to: 2 });
});
