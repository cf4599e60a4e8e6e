import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { CommandRecord } from '../core/evidence.js';
import { appendRecord, readRecords } from './record-file.js';

/** A line of the file. The first one of an id is written before the command is run, the next ones when more is known of it. */
const Line = z.object({
  id: z.string(),
  at: z.string(),
  activity: z.string(),
  line: z.string(),
  times: z.int().optional(),
  ms: z.number().optional(),
  failed: z.string().optional(),
});

interface Ran {
  readonly id: string;
  readonly at: string;
  times: number;
  ms: number;
  failed: string | undefined;
}

/**
 * What one try of an activity ran. A command is written down before it is run and after it has ended; one that is run again and
 * again, as to look whether a server is up, once more at the end.
 */
export class CommandJournal {
  readonly #ran = new Map<string, Ran>();

  constructor(
    readonly file: string,
    readonly activity: string,
    /** Told why a line could not be written: a full disk must not keep a server stopped. */
    private readonly onProblem: (error: unknown) => void,
  ) {}

  /** Writes `line` down; call what it gives when the command has ended, with how it failed. */
  begin(line: string): (failed?: string) => void {
    const startedAt = Date.now();
    const known = this.#ran.get(line);
    const ran = known ?? {
      id: randomUUID(),
      at: new Date(startedAt).toISOString(),
      times: 0,
      ms: 0,
      failed: undefined,
    };
    this.#ran.set(line, ran);
    if (known === undefined) this.#write({ id: ran.id, at: ran.at, activity: this.activity, line });
    return (failed) => {
      ran.times += 1;
      ran.ms += Date.now() - startedAt;
      ran.failed = failed;
      if (ran.times === 1) this.#writeEnd(line, ran);
    };
  }

  /** Writes down what was run more than once. */
  close(): void {
    for (const [line, ran] of this.#ran) if (ran.times > 1) this.#writeEnd(line, ran);
  }

  #writeEnd(line: string, { id, at, times, ms, failed }: Ran): void {
    this.#write({ id, at, activity: this.activity, line, times, ms, ...(failed === undefined ? {} : { failed }) });
  }

  #write(line: z.infer<typeof Line>): void {
    try {
      appendRecord(this.file, line);
    } catch (error) {
      this.onProblem(error);
    }
  }
}

const journals = new AsyncLocalStorage<CommandJournal>();

/** Has everything that `work` runs written into `journal`. */
export async function withJournal<T>(journal: CommandJournal, work: () => Promise<T>): Promise<T> {
  try {
    return await journals.run(journal, work);
  } finally {
    journal.close();
  }
}

/** Runs a command that `line` tells of, without a secret in it; written down where somebody keeps a journal. */
export async function journaled<T>(line: string, run: () => Promise<T>): Promise<T> {
  const end = journals.getStore()?.begin(line);
  try {
    const result = await run();
    end?.();
    return result;
  } catch (error) {
    end?.(error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error));
    throw error;
  }
}

/** The commands of a journal, in the order in which they were run first; none where there is no file. */
export async function readJournal(file: string): Promise<CommandRecord[]> {
  const byId = new Map<string, z.infer<typeof Line>>();
  for (const line of await readRecords(file, Line)) byId.set(line.id, line);
  return [...byId.values()].map(({ at, activity, line, times, ms = 0, failed }) => ({
    at,
    activity,
    line,
    times: times ?? 1,
    ms,
    ...(failed === undefined ? {} : { failed }),
    ...(times === undefined ? { unfinished: true as const } : {}),
  }));
}
