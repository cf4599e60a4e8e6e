import { defaultPayloadConverter, toPayloads } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { hasCode } from '../adapters/cluster/target-connection.js';
import { CANARY_TICK_WORKFLOW } from './canary-plan.js';
import type { CanaryTarget } from './canary-target.js';
import type { Ledger } from './ledger.js';
import type { StartCommand } from './start-command.js';
import { requestIdOf } from './request-id.js';

const { ScheduleOverlapPolicy } = proto.temporal.api.enums.v1;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
/** A schedule that nobody deletes ends by itself; the next one takes over. */
const LASTS_MS = 6 * 3_600_000;
/** The next one is made so long before the end of the present one. */
const AHEAD_MS = 10 * 60_000;
/** The first tick is not before the schedule is there. */
const FIRST_AFTER_MS = 5_000;
/** The server starts what it missed while it was away, if that is not longer ago. */
const CATCH_UP_MS = LASTS_MS;

interface ScheduleRow {
  readonly id: string;
  readonly command: number;
  readonly everyMs: number;
  readonly fromAt: number;
  readonly untilAt: number;
  readonly confirmedAt: number | null;
  readonly notedTo: number | null;
  readonly stoppedAt: number | null;
}

/**
 * Schedules of the load. Each tick is an entry of the ledger, as its workflow id is known beforehand: it names the moment.
 * What a schedule promises are its ticks between the moment at which the target confirmed it and the one at which the load
 * was stopped. It is not changed meanwhile: a server that gets an update passes over ticks that it is late with
 * (service/worker/scheduler/workflow.go, processTimeRange).
 */
export class Schedules {
  constructor(
    readonly ledger: Ledger,
    readonly target: CanaryTarget,
  ) {}

  /** Sees to it that a schedule runs; safe to call at any time. @throws when the target cannot be asked */
  async ensure(everyMs: number, command: StartCommand): Promise<void> {
    const now = Date.now();
    const latest = this.#rows('stoppedAt IS NULL ORDER BY fromAt DESC LIMIT 1')[0];
    if (latest === undefined || latest.untilAt - now < AHEAD_MS) {
      const after = latest === undefined ? now + FIRST_AFTER_MS : Math.max(latest.untilAt, now + FIRST_AFTER_MS);
      const fromAt = Math.ceil(after / everyMs) * everyMs;
      // Whole intervals, so that no tick falls between two schedules.
      const untilAt = fromAt + Math.ceil(LASTS_MS / everyMs) * everyMs;
      this.ledger.entries.run(
        'INSERT INTO schedule (id, command, everyMs, fromAt, untilAt) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
        `canary-${this.target.loadId}-every-${everyMs / 1_000}s-${fromAt / 1_000}`,
        this.ledger.numberOf(command),
        everyMs,
        fromAt,
        untilAt,
      );
    }
    for (const schedule of this.#rows('confirmedAt IS NULL AND stoppedAt IS NULL')) await this.#create(schedule);
  }

  /** Writes down every tick that has fallen due by `now`. */
  noteTicks(now: number): void {
    for (const schedule of this.#rows('confirmedAt IS NOT NULL')) {
      const end = Math.min(now, schedule.untilAt - 1, schedule.stoppedAt ?? Infinity);
      const ticks = ticksBetween(schedule, end);
      if (ticks.length === 0) continue;
      const command = this.ledger.commandOf(schedule.command);
      this.ledger.inTransaction(() => {
        for (const at of ticks) this.#noteTick(schedule.id, at, command);
        this.ledger.entries.run('UPDATE schedule SET notedTo = ? WHERE id = ?', end, schedule.id);
      });
    }
  }

  /** From now on ticks are promised no more. */
  stop(now: number): void {
    this.ledger.entries.run('UPDATE schedule SET stoppedAt = ? WHERE stoppedAt IS NULL', now);
    this.noteTicks(now);
  }

  /** Deletes what was stopped and has started all that it promised. @throws when the target cannot be asked */
  async deleteStopped(): Promise<void> {
    for (const { id, command } of this.#rows('stoppedAt IS NOT NULL AND deletedAt IS NULL')) {
      const late = this.ledger.entries.count(
        `SELECT count(*) AS n FROM canary WHERE kind = 'tick' AND final = 0 AND workflowId >= ? AND workflowId < ?`,
        `${id}-`,
        `${id}.`, // the character after the dash
      );
      if (late > 0) continue;
      const { namespace } = this.ledger.commandOf(command);
      await this.target
        .withDeadline(() =>
          this.target.connection.workflowService.deleteSchedule({
            namespace,
            scheduleId: id,
            identity: this.target.identity,
          }),
        )
        .catch((error: unknown) => {
          if (!hasCode(error, NOT_FOUND)) throw error;
        });
      this.ledger.entries.run('UPDATE schedule SET deletedAt = ? WHERE id = ?', Date.now(), id);
    }
  }

  async #create({ id, command, everyMs, fromAt, untilAt }: ScheduleRow): Promise<void> {
    const { namespace, taskQueue } = this.ledger.commandOf(command);
    try {
      await this.target.withDeadline(() =>
        this.target.connection.workflowService.createSchedule({
          namespace,
          scheduleId: id,
          identity: this.target.identity,
          requestId: requestIdOf(id),
          schedule: {
            spec: {
              interval: [{ interval: msToTs(everyMs) }],
              startTime: msToTs(fromAt),
              // Half a second before the first tick of the next one.
              endTime: msToTs(untilAt - 500),
            },
            policies: {
              overlapPolicy: ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
              catchupWindow: msToTs(CATCH_UP_MS),
            },
            action: {
              startWorkflow: {
                workflowId: id,
                workflowType: { name: CANARY_TICK_WORKFLOW },
                taskQueue: { name: taskQueue },
                input: { payloads: toPayloads(defaultPayloadConverter) ?? null },
                workflowExecutionTimeout: msToTs('1 day'),
              },
            },
          },
        }),
      );
    } catch (error) {
      if (!hasCode(error, ALREADY_EXISTS)) throw error; // made by a process that was killed before it could note it
    }
    const now = Date.now();
    this.ledger.entries.run(
      'UPDATE schedule SET confirmedAt = ?, notedTo = coalesce(notedTo, ?) WHERE id = ?',
      now,
      Math.max(now, fromAt - 1),
      id,
    );
  }

  #noteTick(scheduleId: string, at: number, command: StartCommand): void {
    const workflowId = `${scheduleId}-${new Date(at).toISOString().replace('.000', '')}`;
    this.ledger.intend({
      workflowId,
      number: at / 1_000,
      kind: 'tick',
      command,
      hop: null,
      intendedAt: at,
      dueAt: null,
    });
    // Nobody calls for it: the schedule was confirmed, so its ticks are promised from the moment at which they are due.
    this.ledger.entries.run(
      'UPDATE canary SET startedAt = intendedAt, readyAt = intendedAt WHERE workflowId = ?',
      workflowId,
    );
  }

  #rows(where: string): readonly ScheduleRow[] {
    // The columns are those of the table, which is STRICT.
    return this.ledger.entries.all(`SELECT * FROM schedule WHERE ${where}`) as unknown as ScheduleRow[];
  }
}

/** Moments of ticks after `notedTo`, up to and with `end`. */
export function ticksBetween(
  { everyMs, fromAt, notedTo }: Pick<ScheduleRow, 'everyMs' | 'fromAt' | 'notedTo'>,
  end: number,
): readonly number[] {
  const after = Math.max(fromAt - 1, notedTo ?? fromAt - 1);
  const first = Math.floor(after / everyMs) * everyMs + everyMs;
  const count = Math.max(0, Math.floor((end - first) / everyMs) + 1);
  return Array.from({ length: count }, (_, index) => first + index * everyMs);
}
