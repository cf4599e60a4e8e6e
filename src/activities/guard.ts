import { AsyncLocalStorage } from 'node:async_hooks';
import {
  activityInfo,
  ApplicationFailure,
  cancellationSignal,
  CancelledFailure,
  heartbeat,
} from '@temporalio/activity';
import { withJournal } from '../adapters/command-journal.js';
import { CommandError } from '../adapters/run-command.js';
import type { Work } from '../adapters/store.js';
import { ToolUnavailableError } from '../adapters/tools/tool-unavailable.js';
import { FailureType } from '../contract/names.js';
import { journalOf } from './records.js';
import { InvalidRolloutError, messageOf, PreconditionError, UnsupportedPathError } from '../core/errors.js';

/** Well below the heartbeat timeout of `workflows/proxies.ts`, so that one late beat is no dead worker. */
const HEARTBEAT_EVERY_MS = 4_000;

interface Progress {
  latest: unknown;
  kept: unknown;
}
const progressOfAttempt = new AsyncLocalStorage<Progress>();

/** What an adapter gets from the present activity: its cancellation, and a place for its progress. */
export function currentWork(): Work {
  return { signal: cancellationSignal(), onProgress: reportProgress };
}

/** Shown as the heartbeat of the present activity, in the Web UI too. */
export function reportProgress(progress: unknown): void {
  const slot = progressOfAttempt.getStore();
  if (slot === undefined) return;
  slot.latest = progress;
  beat(slot);
}

/** Goes with every heartbeat of this attempt from now on; the next attempt finds it by `keptBefore`. Small, and no secret. */
export function keepForNextAttempt(kept: unknown): void {
  const slot = progressOfAttempt.getStore();
  if (slot === undefined) return;
  slot.kept = kept;
  beat(slot);
}

/** What the attempt before this one kept, as it came over the wire; undefined in the first attempt. */
export function keptBefore(): unknown {
  return (activityInfo().heartbeatDetails as { readonly kept?: unknown } | null | undefined)?.kept;
}

function beat({ latest, kept }: Progress): void {
  heartbeat(kept === undefined ? latest : { progress: latest, kept });
}

type AnyActivity = (request: never) => Promise<unknown>;

/**
 * Wraps every activity of `activities`: it heartbeats by itself while it runs, and what it throws becomes a failure with a
 * stable type.
 */
export function guard<T extends object>(activities: T): T {
  const guarded = Object.entries(activities as Record<string, AnyActivity>).map(([name, activity]) => [
    name,
    (request: never) =>
      progressOfAttempt.run({ latest: undefined, kept: keptBefore() }, async () => {
        const beating = setInterval(() => {
          const slot = progressOfAttempt.getStore();
          if (slot !== undefined) beat(slot);
        }, HEARTBEAT_EVERY_MS);
        try {
          const journal = journalOf(request);
          return await (journal === undefined ? activity(request) : withJournal(journal, () => activity(request)));
        } catch (error) {
          if (cancellationSignal().aborted)
            throw new CancelledFailure('cancelled', [], error instanceof Error ? error : undefined);
          throw asFailure(error);
        } finally {
          clearInterval(beating);
        }
      }),
  ]);
  return Object.fromEntries(guarded) as T;
}

/** A core or adapter error as a failure that workflows, retry policies and people can tell apart. */
function asFailure(error: unknown): unknown {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const message = messageOf(error);
  if (error instanceof InvalidRolloutError) {
    return ApplicationFailure.create({
      type: FailureType.invalidRollout,
      message,
      nonRetryable: true,
      details: [error.problems],
    });
  }
  if (error instanceof UnsupportedPathError) {
    return ApplicationFailure.create({
      type: FailureType.unsupportedPath,
      message,
      nonRetryable: true,
      details: [{ from: error.from, to: error.to }],
    });
  }
  if (error instanceof PreconditionError) {
    return ApplicationFailure.create({ type: FailureType.precondition, message, details: [error.facts], cause: error });
  }
  if (error instanceof ToolUnavailableError) {
    return ApplicationFailure.create({ type: FailureType.toolUnavailable, message, nonRetryable: true });
  }
  if (error instanceof CommandError) {
    return ApplicationFailure.create({
      type: FailureType.commandFailed,
      message,
      details: [{ program: error.program, exitCode: error.exitCode, durationMs: error.durationMs }],
    });
  }
  return error;
}
