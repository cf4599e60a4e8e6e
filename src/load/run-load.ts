import { fileURLToPath } from 'node:url';
import { runAttached } from '../adapters/run-command.js';
import { readSecret } from '../adapters/secrets.js';
import { PreconditionError } from '../core/errors.js';
import type { Connection } from '../core/input/input.js';
import { LoadLine, type LoadOptions } from './load-options.js';

/** Longer than its graceful end takes. */
const KILL_AFTER_MS = 120_000;
/** The load process prints each second; one that has been silent for so long hangs. */
const SILENCE_MS = 60_000;
/** A small heap: without a limit V8 lets garbage grow to several times what the load needs. */
export const LOAD_NODE_FLAGS = [
  '--disable-warning=ExperimentalWarning',
  '--max-old-space-size=256',
  '--max-semi-space-size=8',
];
const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

interface RunOptions extends LoadOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: LoadLine) => void;
  /** File of the load process; that of this build when left out. */
  readonly mainFile?: string;
}

/**
 * Runs the load in a process of its own, until `signal` is aborted and what has been started has ended. Killed in any way,
 * it can be run again on the same ledger: nothing is lost or done twice.
 * @throws CommandError when the process dies, PreconditionError when it hangs
 */
export async function runLoad(options: RunOptions): Promise<void> {
  await runProcess({ ...options, drain: false });
  if (!options.signal.aborted)
    throw new PreconditionError('the load process ended though nobody stopped it; it is started again');
}

/**
 * Brings canaries to their end that a killed load process left: they need a worker, and signals. Starts no others. Resolves
 * when all have ended, or when those that do not are known to be stuck, which takes a good two minutes.
 * @throws CommandError when the process dies, PreconditionError when it hangs
 */
export async function drainLoad(options: RunOptions): Promise<void> {
  await runProcess({ ...options, drain: true });
}

async function runProcess({ signal, onProgress, mainFile = MAIN, ...loadOptions }: RunOptions): Promise<void> {
  const hangs = new AbortController();
  const watch = setTimeout(() => hangs.abort(), SILENCE_MS);
  try {
    await runAttached(process.execPath, [...LOAD_NODE_FLAGS, mainFile], {
      env: await environmentOf(loadOptions),
      input: JSON.stringify(loadOptions),
      signal: AbortSignal.any([signal, hangs.signal]),
      killAfterMs: KILL_AFTER_MS,
      onLine: (line) => {
        watch.refresh();
        const progress = parseLine(line);
        if (progress !== undefined) onProgress?.(progress);
      },
    });
  } catch (error) {
    if (!hangs.signal.aborted && !signal.aborted) throw error;
  } finally {
    clearTimeout(watch);
  }
  if (hangs.signal.aborted && !signal.aborted) {
    throw new PreconditionError(
      `the load process was silent for ${SILENCE_MS / 1_000} s and was ended; it is started again`,
    );
  }
}

/** What the load process needs of the environment: for the target, and for the cluster whose mix is copied. */
async function environmentOf({ connection, policy }: LoadOptions): Promise<Record<string, string>> {
  const copied = policy.copyMixOf?.connection;
  return { ...(copied === undefined ? {} : await environmentFor(copied)), ...(await environmentFor(connection)) };
}

/** The environment that the connection needs: its secret, under its name, and where profiles are. */
async function environmentFor(connection: Connection): Promise<Record<string, string>> {
  if ('profile' in connection) {
    const names = ['TEMPORAL_CONFIG_FILE', 'XDG_CONFIG_HOME'];
    return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
  }
  const { apiKey } = connection;
  return apiKey !== undefined && 'env' in apiKey ? { [apiKey.env]: await readSecret(apiKey) } : {};
}

function parseLine(line: string): LoadLine | undefined {
  try {
    return LoadLine.parse(JSON.parse(line));
  } catch {
    return undefined; // not one of its lines
  }
}
