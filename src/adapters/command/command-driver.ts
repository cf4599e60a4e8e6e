import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeState } from '../../core/cluster.js';
import { formatDuration } from '../../core/duration.js';
import { PreconditionError } from '../../core/errors.js';
import type { CommandDriver, CommandNode } from '../../core/input/input.js';
import { fillPlaceholders, placeholdersIn } from '../../core/input/placeholders.js';
import { environmentLine, shellLine } from '../../core/shell-line.js';
import { mapAtMost } from '../cluster/look.js';
import type { Driver } from '../driver.js';
import { expectVersion, findNode, knownOf } from '../find-node.js';
import { readNodeLog, sizeOf } from '../process/log-tail.js';
import { CommandError, runCommand } from '../run-command.js';
import { readEnvironment } from '../secrets.js';
import type { Work } from '../store.js';
import { watchStart } from '../watch-start.js';
import { readStatus } from './node-status.js';

type CommandName = keyof CommandDriver['commands'];

const POLL_MS = 500;
const PROGRESS_EVERY_MS = 3_000;
const STATUS_TIMEOUT_MS = 60_000;
/** A version may have to be brought over a slow network. */
const PREPARE_TIMEOUT_MS = 30 * 60_000;
/** Commands of as many nodes at once. */
const AT_ONCE = 8;

/**
 * Servers that are replaced by commands of the operator, run without a shell: by ssh, Ansible, Nomad or a script. What runs
 * is what the status command says; a status that fails is a failure, never "nothing runs".
 */
export function createCommandDriver(input: CommandDriver): Driver {
  const run = createRunner(input);
  const look = async (node: CommandNode): Promise<NodeState> => {
    const printed = await run('status', node, { timeoutMs: STATUS_TIMEOUT_MS });
    const status = readStatus(node.name, printed);
    return status === undefined ? { ...knownOf(node), running: false } : { ...knownOf(node), running: true, ...status };
  };
  const stop = (node: CommandNode, work?: Work) =>
    saying(`stopping ${node.name}`, work, async () => {
      const deadline = Date.now() + input.stopTimeout;
      await run('stop', node, { timeoutMs: input.stopTimeout, work });
      await waitUntilGone(() => look(node), { deadline, timeoutMs: input.stopTimeout }, work);
    });

  return {
    listNodes: () => mapAtMost(AT_ONCE, input.nodes, look),

    async stopNode(name, work) {
      const node = findNode(input.nodes, name);
      if ((await look(node)).running) await stop(node, work);
    },

    async startNode(name, version, work) {
      const node = findNode(input.nodes, name);
      const before = await look(node);
      if (before.running) return expectVersion(before, version);
      const logStart = await sizeOf(node.logFile);
      // Killed on this line: the command goes on, and the next attempt finds what it started, or starts it.
      await saying(`starting ${name}`, work, () =>
        run('start', node, { version, timeoutMs: input.startTimeout, work }),
      );
      const { state, ended } = await watchStart(() => look(node), work);
      if (!ended) return expectStarted(state, version);
      await stop(node, work); // whatever would start it again and again
      throw new PreconditionError(
        `node ${name} ended at once when it was started with ${version}; ${await readNodeLog(node, logStart)}`,
        { node: name, version },
      );
    },

    async prepare(version, work) {
      const { prepare = [] } = input.commands;
      if (prepare.length === 0) return;
      const isOfNode = prepare.flatMap(placeholdersIn).some((word) => word !== 'version');
      const nodes = isOfNode ? input.nodes : input.nodes.slice(0, 1);
      await saying(`preparing ${version}`, work, () =>
        mapAtMost(AT_ONCE, nodes, (node) => run('prepare', node, { version, timeoutMs: PREPARE_TIMEOUT_MS, work })),
      );
    },

    readUsage: () => Promise.resolve(undefined),

    configurationPaths: () => [...new Set(input.nodes.flatMap(({ configDir }) => configDir ?? []))],

    async explain(name, version) {
      const node = findNode(input.nodes, name);
      const commands = (['prepare', 'stop', 'start'] as const).flatMap((command) => {
        const argv = commandOf(input, command, { node, version });
        return argv.length === 0 ? [] : [`${environmentLine(input.environment)}${shellLine(argv)}`];
      });
      return Promise.resolve(commands);
    },
  };
}

interface RunOptions {
  readonly version?: string;
  readonly timeoutMs: number;
  readonly work?: Work | undefined;
}

/** Runs a command of the input for a node and gives what it printed. */
function createRunner(input: CommandDriver) {
  return async (name: CommandName, node: CommandNode, options: RunOptions): Promise<string> => {
    const { version, timeoutMs, work } = options;
    const [program = '', ...args] = commandOf(input, name, { node, version });
    const { env, secrets } = await readEnvironment(input.environment);
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
    }
  };
}

function commandOf(
  { commands }: CommandDriver,
  name: CommandName,
  { node, version }: { readonly node: CommandNode; readonly version: string | undefined },
): string[] {
  const { rpcAddress } = node;
  const host = rpcAddress.slice(0, rpcAddress.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  const values = { node: node.name, role: node.role, host, ...(version === undefined ? {} : { version }) };
  return (commands[name] ?? []).map((text) => fillPlaceholders(text, values));
}

/** Says every few seconds that `doing` goes on. */
async function saying<T>(progress: string, work: Work | undefined, doing: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => work?.onProgress?.(progress), PROGRESS_EVERY_MS);
  try {
    return await doing();
  } finally {
    clearInterval(timer);
  }
}

async function waitUntilGone(
  look: () => Promise<NodeState>,
  { deadline, timeoutMs }: { readonly deadline: number; readonly timeoutMs: number },
  work?: Work,
): Promise<void> {
  for (;;) {
    work?.signal?.throwIfAborted();
    const state = await look();
    if (!state.running) return;
    if (Date.now() >= deadline) {
      throw new PreconditionError(
        `node ${state.name} still runs ${formatDuration(timeoutMs)} after its stop command was run (${state.instance ?? 'unknown run'}); stop it by hand, or raise "stopTimeout"`,
        { node: state.name, instance: state.instance },
      );
    }
    await sleep(POLL_MS);
  }
}

function expectStarted(state: NodeState, version: string): NodeState {
  if (state.version === version) return state;
  throw new PreconditionError(
    `node ${state.name} was started with ${version}, but its status says ${state.version ?? 'no version'}; does its start command use {version}?`,
    { node: state.name, expected: version, found: state.version },
  );
}
