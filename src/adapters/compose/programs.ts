import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, PreconditionError, UnreachableError } from '../../core/errors.js';
import { type ComposeDriver, engineOf, overrideFileOf } from '../../core/input/input.js';
import { environmentLine, shellLine } from '../../core/shell-line.js';
import { CommandError, runCommand, type CommandResult } from '../run-command.js';
import { readEnvironment } from '../secrets.js';
import type { Work } from '../store.js';

/** What only looks, or hands over an order. */
const TIMEOUT_MS = 60_000;
const PROGRESS_EVERY_MS = 3_000;

/** What docker and podman say of an engine that does not answer: nothing is known of its containers then. */
const AWAY = /cannot connect to (the docker daemon|podman)|error during connect|docker daemon is not running/i;

export interface ProgramRun {
  readonly timeoutMs?: number;
  /** Told while it lasts. */
  readonly saying?: string;
  readonly work?: Work | undefined;
}

/** Compose and the engine below it, as the input names them. */
export interface Programs {
  /** Runs Compose on the files of the project, with ours over them where it is there. @throws PreconditionError */
  compose(args: readonly string[], run?: ProgramRun): Promise<CommandResult>;
  /** Runs the engine. @throws PreconditionError */
  engine(args: readonly string[], run?: ProgramRun): Promise<CommandResult>;
  /** The line of a shell for Compose, with our file. */
  composeLine(args: readonly string[]): string;
  engineLine(args: readonly string[]): string;
}

/** The programs of an input. */
export function createPrograms(input: ComposeDriver): Programs {
  const own = overrideFileOf(input);
  const cwd = dirname(input.files[0] ?? '/');
  const composeArgs = (files: readonly string[]): string[] => [
    ...input.command,
    '--project-name',
    input.project,
    ...files.flatMap((file) => ['--file', file]),
    ...(input.envFile === undefined ? [] : ['--env-file', input.envFile]),
    ...input.profiles.flatMap((profile) => ['--profile', profile]),
  ];
  const run = async (argv: readonly string[], options: ProgramRun = {}): Promise<CommandResult> => {
    const { timeoutMs = TIMEOUT_MS, saying, work } = options;
    const [program = '', ...args] = argv;
    const { env, secrets } = await readEnvironment(input.environment);
    const telling = setInterval(() => saying !== undefined && work?.onProgress?.(saying), PROGRESS_EVERY_MS);
    try {
      return await runCommand(program, args, { env, secrets, cwd, timeoutMs, signal: work?.signal });
    } catch (cause) {
      if (!(cause instanceof CommandError) || work?.signal?.aborted === true) throw cause;
      const failed = `"${shellLine(argv)}": ${messageOf(cause)}`;
      const facts = { program, exitCode: cause.exitCode };
      throw AWAY.test(cause.stderrTail)
        ? new UnreachableError(failed, facts, { cause })
        : new PreconditionError(failed, facts, { cause });
    } finally {
      clearInterval(telling);
    }
  };
  const before = environmentLine(input.environment);
  return {
    async compose(args, options) {
      const isThere = await access(own).then(
        () => true,
        () => false,
      );
      return run([...composeArgs(isThere ? [...input.files, own] : input.files), ...args], options);
    },
    engine: (args, options) => run([...engineOf(input), ...args], options),
    // Compose looks for .env beside the first file: from there it is the same for whoever runs the line.
    composeLine: (args) =>
      `cd ${shellLine([cwd])} && ${before}${shellLine([...composeArgs([...input.files, own]), ...args])}`,
    engineLine: (args) => `${before}${shellLine([...engineOf(input), ...args])}`,
  };
}
