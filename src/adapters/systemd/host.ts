import { messageOf, PreconditionError, UnreachableError } from '../../core/errors.js';
import { shellLine } from '../../core/shell-line.js';
import { CommandError, runCommand } from '../run-command.js';

/** How long a command that only asks, or hands over an order, may take. */
const TIMEOUT_MS = 30_000;
/** ssh itself failed: it never got there, or was refused (ssh(1), EXIT STATUS). */
const SSH_FAILED = 255;

export interface HostRunOptions {
  readonly input?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A host on which units run. */
export interface Host {
  /** For people. */
  readonly name: string;
  /** Whether it is that of the worker, so that its process ids mean something here. */
  readonly isOwn: boolean;
  /** What is run here so that `argv` runs there. */
  commandFor(argv: readonly string[]): readonly string[];
  /** Runs `argv` there and gives what it printed. @throws PreconditionError with the end of what it said, or UnreachableError */
  run(argv: readonly string[], options?: HostRunOptions): Promise<string>;
}

/** The host that the input names; that of the worker when it names none. */
export type HostFinder = (name: string | undefined) => Host;

/** Hosts by ssh: the system's own, with what ssh_config says, and never with a question to anybody. */
export function createHosts({ sshConfigFile }: { readonly sshConfigFile?: string | undefined } = {}): HostFinder {
  const options = ['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10', '-T'];
  const config = sshConfigFile === undefined ? [] : ['-F', sshConfigFile];
  return (name) => {
    if (name === undefined) return hostBy({ name: 'this host', isOwn: true, commandFor: (argv) => argv });
    // ssh hands its arguments to the shell over there, joined by blanks.
    const commandFor = (argv: readonly string[]) => ['ssh', ...config, ...options, '--', name, shellLine(argv)];
    return hostBy({ name, isOwn: false, commandFor });
  };
}

/** A host that is reached as `commandFor` says. */
export function hostBy(reached: Omit<Host, 'run'>): Host {
  return {
    ...reached,
    async run(argv, { input, signal } = {}) {
      const [program = '', ...args] = reached.commandFor(argv);
      try {
        // The agent that holds the key, where there is one. Nothing here is a secret.
        const agent = process.env['SSH_AUTH_SOCK'];
        const env: Record<string, string> = agent === undefined ? {} : { SSH_AUTH_SOCK: agent };
        const options = { env, secrets: [], timeoutMs: TIMEOUT_MS, signal, ...(input === undefined ? {} : { input }) };
        return (await runCommand(program, args, options)).stdout;
      } catch (error) {
        if (!(error instanceof CommandError) || signal?.aborted === true) throw error;
        throw hostError(error, { host: reached.name, argv, bySsh: program === 'ssh' });
      }
    },
  };
}

function hostError(
  error: CommandError,
  { host, argv, bySsh }: { readonly host: string; readonly argv: readonly string[]; readonly bySsh: boolean },
): PreconditionError {
  const facts = { host, exitCode: error.exitCode };
  if (bySsh && error.exitCode === SSH_FAILED) {
    const tail = error.stderrTail === '' ? 'it said nothing' : error.stderrTail;
    return new UnreachableError(
      `${host} cannot be reached by ssh: ${tail}; "ssh -o BatchMode=yes ${host} true" has to work for the user of the worker`,
      facts,
      { cause: error },
    );
  }
  return new PreconditionError(`"${shellLine(argv)}" on ${host}: ${messageOf(error)}`, facts, { cause: error });
}
