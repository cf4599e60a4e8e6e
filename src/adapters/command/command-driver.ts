import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeState } from '../../core/cluster.js';
import { formatDuration } from '../../core/duration.js';
import { PreconditionError } from '../../core/errors.js';
import type { CommandDriver, CommandNode } from '../../core/input/input.js';
import { placeholdersIn } from '../../core/input/placeholders.js';
import { mapAtMost } from '../cluster/look.js';
import type { Driver } from '../driver.js';
import { expectVersion, findNode, knownOf } from '../find-node.js';
import { readNodeLog, sizeOf } from '../process/log-tail.js';
import type { Work } from '../store.js';
import { watchStart } from '../watch-start.js';
import { createNodeCommands, type NodeCommands } from './node-commands.js';
import { readStatus } from './node-status.js';

const POLL_MS = 500;
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
  const commands = createNodeCommands(input);
  const named = (name: string) => findNode(input.nodes, name);

  return {
    listNodes: () => mapAtMost(AT_ONCE, input.nodes, (node) => look(commands, node)),

    async stopNode(name, work) {
      const node = named(name);
      if ((await look(commands, node)).running) await stop(commands, { node, timeoutMs: input.stopTimeout }, work);
    },

    async startNode(name, version, work) {
      return start(commands, { node: named(name), version, input }, work);
    },

    async prepare(version, work) {
      const { prepare } = input.commands;
      if (prepare === undefined) return;
      const isOfNode = prepare.flatMap(placeholdersIn).some((word) => word !== 'version');
      const nodes = isOfNode ? input.nodes : input.nodes.slice(0, 1);
      const options = { version, timeoutMs: PREPARE_TIMEOUT_MS, work };
      await mapAtMost(AT_ONCE, nodes, (node) => commands.run('prepare', node, options));
    },

    readUsage: () => Promise.resolve(undefined),

    configurationPaths: () => [...new Set(input.nodes.flatMap(({ configDir }) => configDir ?? []))],

    async explain(name, version) {
      const node = named(name);
      const lines = (['prepare', 'stop', 'start'] as const).map((command) => commands.line(command, node, version));
      return Promise.resolve(lines.filter((line) => line !== undefined));
    },
  };
}

async function look(commands: NodeCommands, node: CommandNode): Promise<NodeState> {
  const status = readStatus(node.name, await commands.run('status', node, { timeoutMs: STATUS_TIMEOUT_MS }));
  return status === undefined ? { ...knownOf(node), running: false } : { ...knownOf(node), running: true, ...status };
}

async function stop(
  commands: NodeCommands,
  { node, timeoutMs }: { readonly node: CommandNode; readonly timeoutMs: number },
  work?: Work,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  await commands.run('stop', node, { timeoutMs, work });
  for (;;) {
    work?.signal?.throwIfAborted();
    const { running, instance } = await look(commands, node);
    if (!running) return;
    if (Date.now() >= deadline) {
      throw new PreconditionError(
        `node ${node.name} still runs ${formatDuration(timeoutMs)} after its stop command was run (${instance ?? 'unknown run'}); stop it by hand, or raise "stopTimeout"`,
        { node: node.name, instance },
      );
    }
    work?.onProgress?.(`stopping ${node.name}`);
    await sleep(POLL_MS);
  }
}

interface StartOrder {
  readonly node: CommandNode;
  readonly version: string;
  readonly input: CommandDriver;
}

async function start(
  commands: NodeCommands,
  { node, version, input: { startTimeout, stopTimeout } }: StartOrder,
  work?: Work,
): Promise<NodeState> {
  const before = await look(commands, node);
  if (before.running) return expectVersion(before, version);
  const logStart = await sizeOf(node.logFile);
  // Killed on this line: the command goes on, and the next attempt finds what it started, or starts it.
  await commands.run('start', node, { version, timeoutMs: startTimeout, work });
  const { state, ended } = await watchStart(() => look(commands, node), work);
  const facts = { node: node.name, version, found: state.version };
  if (ended) {
    await stop(commands, { node, timeoutMs: stopTimeout }, work); // whatever would start it again and again
    const log = await readNodeLog(node, logStart);
    throw new PreconditionError(`node ${node.name} ended at once when it was started with ${version}; ${log}`, facts);
  }
  if (state.version === version) return state;
  throw new PreconditionError(
    `node ${node.name} was started with ${version}, but its status says ${state.version ?? 'no version'}; does its start command use {version}?`,
    facts,
  );
}
