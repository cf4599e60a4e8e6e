import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { executionState, queryStatus, resultOf, withControlPlane, type ControlPlane } from '../../client.js';
import { NoAnswerError, RequestError } from '../../core/request-error.js';
import { formatDuration } from '../../core/duration.js';
import type { RolloutResult } from '../../core/rollout-result.js';
import type { RolloutStatus } from '../../core/status.js';
import { resultText } from '../../report/result-text.js';
import { statusText } from '../../report/status-text.js';
import { ExitCode } from '../exit-codes.js';
import type { CommonOptions } from '../options.js';
import type { OutputFormat } from '../output.js';
import { paintStdout } from '../paint.js';

export interface WatchOptions extends CommonOptions {
  /** Seconds. */
  readonly interval: number;
}

/** Shows a roll-out until it is over; the exit code says how it ended. @throws RequestError */
export async function watch(workflowId: string, options: WatchOptions): Promise<void> {
  if (!(options.interval > 0)) throw new RequestError('--interval has to be a number of seconds above 0');
  const screen = isOnTerminal(options.output) ? new Screen() : new Lines(options.output);
  const intervalMs = options.interval * 1_000;
  const result = await withControlPlane(options, (client) => follow(client, workflowId, { screen, intervalMs }));
  screen.end(result);
  if (result.status !== 'completed') process.exitCode = ExitCode.notCompleted;
}

interface Shown {
  status(status: RolloutStatus): void;
  /** Nobody answers, for `ms` milliseconds by now. */
  away(problem: string, ms: number): void;
  end(result: RolloutResult): void;
}

/** A call that nobody has answered by then is given up, told of, and made again. */
const ANSWER_MS = 10_000;

/** Shows the roll-out until it is over. A worker that starts anew, or a control plane that is away, is waited for. */
async function follow(
  client: ControlPlane,
  workflowId: string,
  { screen, intervalMs }: { readonly screen: Shown; readonly intervalMs: number },
): Promise<RolloutResult> {
  const soon = <T>(call: () => Promise<T>) => client.withDeadline(Date.now() + ANSWER_MS, call);
  for (let awaySince: number | undefined; ;) {
    try {
      if ((await soon(() => executionState(client, workflowId))) !== 'RUNNING')
        return await soon(() => resultOf(client, workflowId));
      screen.status(await soon(() => queryStatus(client, workflowId)));
      awaySince = undefined;
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      awaySince ??= Date.now();
      screen.away(error.message, Date.now() - awaySince);
    }
    await sleep(intervalMs);
  }
}

function isOnTerminal(output: OutputFormat): boolean {
  return output === 'text' && process.stdout.isTTY;
}

/** One screen, drawn anew each time. */
class Screen implements Shown {
  #last: RolloutStatus | undefined;

  status(status: RolloutStatus): void {
    this.#last = status;
    this.#draw([]);
  }

  away(problem: string, ms: number): void {
    this.#draw([
      paintStdout('bad', `no answer for ${formatDuration(ms)}, trying again`),
      `  ${problem.slice(0, 76)}`,
      '',
    ]);
  }

  end(result: RolloutResult): void {
    process.stdout.write(`\u001b[H\u001b[2J${resultText(result, paintStdout)}\n`);
  }

  #draw(above: readonly string[]): void {
    // The last row is where the cursor stands.
    const rows = Math.max(1, process.stdout.rows - 1 - above.length);
    const text = this.#last === undefined ? '' : statusText(this.#last, Date.now(), { rows, paint: paintStdout });
    process.stdout.write(`\u001b[H\u001b[2J${[...above, text].join('\n')}\n`);
  }
}

/** For a pipe or a file: what has changed, one after the other. */
class Lines implements Shown {
  #last = '';
  #isAway = false;

  constructor(private readonly output: OutputFormat) {}

  status(status: RolloutStatus): void {
    if (this.#isAway) process.stderr.write('answers again\n');
    this.#isAway = false;
    const shown = this.#textOf(status, () =>
      // Without the time that passes: else each would be another.
      statusText(status, Date.parse(status.current?.since ?? status.startedAt)),
    );
    if (shown !== this.#last) process.stdout.write(`${shown}\n`);
    this.#last = shown;
  }

  away(problem: string): void {
    if (!this.#isAway) process.stderr.write(`no answer, trying again: ${problem}\n`);
    this.#isAway = true;
  }

  end(result: RolloutResult): void {
    process.stdout.write(`${this.#textOf(result, () => resultText(result))}\n`);
  }

  #textOf(data: unknown, text: () => string): string {
    if (this.output === 'json') return JSON.stringify(data);
    return this.output === 'yaml' ? `---\n${stringify(data).trimEnd()}` : `${text()}\n`;
  }
}
