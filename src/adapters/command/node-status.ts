import { z } from 'zod';
import { PreconditionError } from '../../core/errors.js';
import { isServerVersion } from '../../core/version.js';

/** What a status command says of a process that runs. */
const Running = z.object({
  version: z.string().refine(isServerVersion, 'expected a version in full, such as "1.30.7"'),
  startedAt: z.iso
    .datetime({ offset: true, error: 'expected when the process began, such as "2026-01-31T12:00:00Z"' })
    .transform((text) => new Date(text).toISOString()),
  /** Identity of this run, such as its process id and host; `startedAt` when left out. */
  instance: z.string().min(1).optional(),
});

const NotRunning = z.strictObject({ running: z.literal(false).optional() });

export interface RunningStatus {
  readonly version: string;
  readonly startedAt: string;
  readonly instance: string;
}

/**
 * Reads what a status command printed: JSON of a process that runs, or nothing, `{}` or `{"running": false}` when none does.
 * A version alone will not do: that a process was replaced, and that it took its shards, is told by when it began.
 * @throws PreconditionError when it is anything else
 */
export function readStatus(node: string, printed: string): RunningStatus | undefined {
  const text = printed.trim();
  if (text === '') return undefined;
  const value = parseJson(text);
  if (NotRunning.safeParse(value).success) return undefined;
  const result = Running.safeParse(value);
  if (result.success) return { ...result.data, instance: result.data.instance ?? result.data.startedAt };
  const problems = result.error.issues.map(({ path, message }) => [...path.map(String), message].join(': '));
  throw new PreconditionError(
    `the status command of ${node} printed ${JSON.stringify(text.slice(0, 200))}; expected {"version": "1.30.7", ` +
      `"startedAt": "2026-01-31T12:00:00Z"}, or nothing when nothing runs (${problems.join('; ')})`,
    { node },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
