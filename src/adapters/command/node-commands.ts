import { splitAddress } from '../../core/address.js';
import { PreconditionError } from '../../core/errors.js';
import type { CommandDriver, CommandNode } from '../../core/input/input.js';
import { fillPlaceholders } from '../../core/input/placeholders.js';
import { environmentLine, shellLine } from '../../core/shell-line.js';
import { CommandError, runCommand } from '../run-command.js';
import { readEnvironment } from '../secrets.js';
import type { Work } from '../store.js';

const PROGRESS_EVERY_MS = 3_000;

export type CommandName = keyof CommandDriver['commands'];

export interface CommandRun {
  /** Where the command names one. */
  readonly version?: string;
  readonly timeoutMs: number;
  readonly work?: Work | undefined;
}

/** The commands of an input, for one node at a time. */
export interface NodeCommands {
  /** Runs one and gives what it printed. @throws PreconditionError with the end of what it said, secrets blackened */
  run(name: CommandName, node: CommandNode, options: CommandRun): Promise<string>;
  /** The line that a shell would run; undefined when the input has no such command. */
  line(name: CommandName, node: CommandNode, version: string): string | undefined;
}

/** The commands of the input. */
export function createNodeCommands(input: CommandDriver): NodeCommands {
  return {
    async run(name, node, { version, timeoutMs, work }) {
      const [program = '', ...args] = commandOf(input, name, { node, version });
      const { env, secrets } = await readEnvironment(input.environment);
      const saying = setInterval(() => work?.onProgress?.(`${name} command of ${node.name}`), PROGRESS_EVERY_MS);
      try {
        const { stdout } = await runCommand(program, args, { env, secrets, timeoutMs, signal: work?.signal });
        return stdout;
      } catch (cause) {
        if (!(cause instanceof CommandError) || work?.signal?.aborted === true) throw cause;
        throw new PreconditionError(
          `the ${name} command of ${node.name} failed: ${cause.message}`,
          { node: node.name, command: name, exitCode: cause.exitCode },
          { cause },
        );
      } finally {
        clearInterval(saying);
      }
    },

    line(name, node, version) {
      const argv = commandOf(input, name, { node, version });
      return argv.length === 0 ? undefined : `${environmentLine(input.environment)}${shellLine(argv)}`;
    },
  };
}

function commandOf(
  { commands }: CommandDriver,
  name: CommandName,
  { node, version }: { readonly node: CommandNode; readonly version: string | undefined },
): string[] {
  const { rpcAddress } = node;
  const { host } = splitAddress(rpcAddress);
  const values = { node: node.name, role: node.role, host, ...(version === undefined ? {} : { version }) };
  return (commands[name] ?? []).map((text) => fillPlaceholders(text, values));
}
