import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { execa, ExecaError } from 'execa';
import { messageOf } from '../core/errors.js';
import { shellLine } from '../core/shell-line.js';
import { journaled } from './command-journal.js';

export interface CommandOptions {
  /** Added to the few variables that a child gets; secrets go here or into `input`, never into the arguments. */
  readonly env?: Readonly<Record<string, string>>;
  /** What must not stand in an error message; every value of `env` unless given, which also blackens hosts and names. */
  readonly secrets?: readonly string[];
  readonly input?: string;
  /** File that the child reads as its stdin. */
  readonly inputFile?: string;
  /** What the child reads as its stdin, as it comes. */
  readonly inputChunks?: AsyncIterable<Uint8Array>;
  /** File that its stdout goes into, whatever its size; it is then not in the result. */
  readonly outputFile?: string;
  /** Each piece of its stdout, whatever its size; it is then not in the result. */
  readonly onOutput?: (chunk: Uint8Array) => void;
  readonly cwd?: string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  /** Each line that the child prints, on either stream. */
  readonly onLine?: (line: string) => void;
  readonly uid?: number;
  readonly gid?: number;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** A child process that did not end well. The message has program, exit code and the last lines, not the arguments. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  constructor(
    readonly program: string,
    /** Exit code; undefined when it was killed or could not be started. */
    readonly exitCode: number | undefined,
    readonly stderrTail: string,
    readonly durationMs: number,
    reason: string,
  ) {
    super(`${program} ${reason}${stderrTail === '' ? '' : `:\n${stderrTail}`}`);
  }
}

/** What a child inherits; anything else is given to it by name, so that no secret of the worker leaks into a tool. */
const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TMPDIR',
  'TZ',
  'LD_LIBRARY_PATH',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

/**
 * Runs a program with an argument array and no shell, and waits for its end. The only door to child processes that end.
 * @throws CommandError when it cannot be started, exits with another code than 0, or is stopped
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return journaled(lineOf(program, args, options), () => run(program, args, options));
}

async function run(program: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const child = execa(program, args, {
    env: { ...inheritedEnvironment(), ...options.env },
    extendEnv: false,
    ...stdinOf(options),
    ...(options.outputFile === undefined ? {} : { stdout: { file: options.outputFile }, buffer: { stdout: false } }),
    ...(options.onOutput === undefined ? {} : { buffer: { stdout: false } }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
    forceKillAfterDelay: 10_000,
    maxBuffer: 32 * 1024 * 1024,
    all: options.onLine !== undefined,
  });
  const { onLine, onOutput } = options;
  const output =
    onOutput === undefined
      ? undefined
      : (async () => {
          for await (const chunk of child.iterable({ from: 'stdout', binary: true })) onOutput(chunk);
        })().catch(() => undefined); // as below
  const lines =
    onLine === undefined
      ? undefined
      : (async () => {
          for await (const line of child.iterable({ from: 'all' })) onLine(line);
        })().catch(() => undefined); // its failure is that of the child, reported below
  try {
    const { stdout, stderr, durationMs } = await child;
    await Promise.all([lines, output]);
    return { stdout: stdout ?? '', stderr, durationMs };
  } catch (error) {
    if (error instanceof ExecaError) throw commandError(program, error as Failure, secretsOf(options));
    throw error;
  }
}

function stdinOf({ input, inputFile, inputChunks }: CommandOptions) {
  if (inputFile !== undefined) return { inputFile };
  if (inputChunks !== undefined) return { stdin: inputChunks };
  return input === undefined ? { stdin: 'ignore' as const } : { stdin: 'pipe' as const, input };
}

/**
 * Runs a program that lives as long as it is wanted: `input` is its first line, and its stdin stays open until it ends, so
 * that it notices when this process is gone. An abort sends SIGTERM, and SIGKILL `killAfterMs` milliseconds later.
 * Resolves when it ends with exit code 0, after an abort too. Keeps nothing of its output but the last lines of stderr.
 * @throws CommandError when it cannot be started or ends in another way
 */
export async function runAttached(
  program: string,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly input: string;
    readonly signal: AbortSignal;
    readonly killAfterMs: number;
    /** Each line of its stdout. */
    readonly onLine: (line: string) => void;
  },
): Promise<void> {
  const child = execa(program, args, {
    env: { ...inheritedEnvironment(), ...options.env },
    extendEnv: false,
    stdin: 'pipe',
    buffer: false,
    forceKillAfterDelay: options.killAfterMs,
  });
  child.stdin.on('error', () => undefined); // it ended before it had read; how it ended is reported below
  child.stdin.write(`${options.input}\n`);
  const stop = () => child.kill('SIGTERM');
  options.signal.addEventListener('abort', stop, { once: true });
  if (options.signal.aborted) stop();
  const stderr: string[] = [];
  const reading = Promise.allSettled([
    (async () => {
      for await (const line of child.iterable({ from: 'stdout' })) options.onLine(line);
    })(),
    (async () => {
      for await (const line of child.iterable({ from: 'stderr' })) stderr.splice(0, stderr.push(line) > 12 ? 1 : 0);
    })(),
  ]);
  try {
    await child;
  } catch (error) {
    await reading;
    if (!(error instanceof ExecaError)) throw error;
    const { timedOut, isCanceled, exitCode, signal, code, originalMessage, durationMs } = error as Failure;
    const failure = { timedOut, isCanceled, exitCode, signal, code, originalMessage, durationMs };
    throw commandError(program, { ...failure, stderr: stderr.join('\n') }, Object.values(options.env ?? {}));
  } finally {
    options.signal.removeEventListener('abort', stop);
  }
}

export function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** The facts of execa's error that do not depend on the options of the call. */
type Failure = Pick<
  ExecaError,
  'timedOut' | 'isCanceled' | 'exitCode' | 'signal' | 'code' | 'originalMessage' | 'durationMs'
> & { readonly stdout?: unknown; readonly stderr?: unknown };

function commandError(program: string, error: Failure, secrets: readonly string[]): CommandError {
  const output = [error.stderr, error.stdout].find(
    (text): text is string => typeof text === 'string' && text.trim() !== '',
  );
  const reason = error.timedOut
    ? 'took too long and was stopped'
    : error.isCanceled
      ? 'was cancelled'
      : error.exitCode !== undefined
        ? `ended with exit code ${error.exitCode}`
        : error.signal !== undefined
          ? `was ended by ${error.signal}`
          : `could not be started (${error.code ?? error.originalMessage ?? 'unknown reason'})`;
  return new CommandError(program, error.exitCode, redact(tail(output ?? ''), secrets), error.durationMs, reason);
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-12).join('\n').slice(-2_000);
}

function redact(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret !== '').reduce((left, secret) => left.replaceAll(secret, '***'), text);
}

/** For people, and without a secret, should an operator's own command have one among its arguments. */
function lineOf(program: string, args: readonly string[], options: Pick<CommandOptions, 'env' | 'secrets'>): string {
  const secrets = secretsOf(options);
  return shellLine([program, ...args].map((argument) => redact(argument, secrets)));
}

function secretsOf({ secrets, env = {} }: Pick<CommandOptions, 'env' | 'secrets'>): readonly string[] {
  // Short values such as "1" or "true" are settings, not secrets, and would blacken the message.
  return secrets ?? Object.values(env).filter((value) => value.length >= 6);
}

/**
 * Starts a program that outlives this process: its own process group, its output appended to `logFile` by the operating
 * system itself, nothing awaited. Resolves once it has been started.
 */
export async function startDetached(
  program: string,
  args: readonly string[],
  options: DetachedOptions,
): Promise<{ readonly pid: number }> {
  const line = `${lineOf(program, args, options)} >> ${shellLine([options.logFile])} &`;
  return journaled(line, () => startAndLeave(program, args, options));
}

interface DetachedOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly logFile: string;
}

async function startAndLeave(
  program: string,
  args: readonly string[],
  options: DetachedOptions,
): Promise<{ readonly pid: number }> {
  const log = await open(options.logFile, 'a');
  try {
    // Not execa: it would put a pipe through this process between program and file, and the program would end with it.
    const child = spawn(program, args, {
      env: { ...inheritedEnvironment(), ...options.env },
      cwd: options.cwd,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await once(child, 'spawn').catch((error: unknown) => {
      throw new CommandError(program, undefined, '', 0, `could not be started (${messageOf(error)})`);
    });
    child.unref();
    if (child.pid === undefined) throw new CommandError(program, undefined, '', 0, 'could not be started');
    return { pid: child.pid };
  } finally {
    await log.close();
  }
}
