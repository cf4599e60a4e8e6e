import { dirname, join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { runCommand } from '../../adapters/run-command.js';
import type { ToolResolver } from '../../adapters/tools/tools.js';
import { decide, executionState, queryStatus, resultOf, startRollout } from '../../client.js';
import type { RolloutInputText } from '../../core/input/input.js';
import { rollOrder } from '../../core/planning/roll-order.js';
import type { LabCluster } from '../../lab/cluster.js';
import { findTdbg } from './tdbg.js';

/** How the servers of a cluster are replaced: two shell scripts, and a roll-out in two styles. */
export const WAYS = ['documented', 'careful by hand', 'careful', 'strict'] as const;
export type Way = (typeof WAYS)[number];

/** Moments in milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface RollOrder {
  readonly cluster: LabCluster;
  readonly to: string;
  readonly tools: ToolResolver;
  /** Seconds between two looks of the servers at their dynamic configuration. */
  readonly pollSeconds: number;
  readonly client: Client;
  /** The roll-out that replaces them, with this style. */
  readonly input: (style: 'careful' | 'strict') => RolloutInputText;
}

const SCRIPTS = fileURLToPath(new URL('../../../bench/', import.meta.url));
const POLL_MS = 200;

/** Replaces all servers; gives when the first was begun with, settings included, and when the last was done. */
export async function roll(way: Way, order: RollOrder): Promise<Span> {
  if (way === 'careful' || way === 'strict') return rollByRollout(way, order);
  return rollByScript(way === 'documented' ? 'roll-documented.sh' : 'roll-careful.sh', order);
}

async function rollByScript(script: string, { cluster, to, tools, pollSeconds }: RollOrder): Promise<Span> {
  const { target, dynamicConfigFile } = cluster;
  const program = await tools.serverTool('temporal-server', to);
  const tdbg = await findTdbg(to, tools);
  const names = rollOrder(target.driver.nodes, 'forward');
  const lines = names.flatMap((name) => {
    const node = target.driver.nodes.find((one) => one.name === name);
    if (node === undefined) return [];
    return [[name, node.role, node.rpcAddress, node.configDir, node.configEnv, node.logFile].join('\t')];
  });
  const nodes = join(dirname(dynamicConfigFile), 'nodes.tsv');
  await writeFile(nodes, `${lines.join('\n')}\n`);
  const from = Date.now();
  await runCommand('bash', [join(SCRIPTS, script)], {
    env: {
      NODES: nodes,
      NEW: program,
      DYNAMIC_CONFIG: dynamicConfigFile,
      POLL: String(pollSeconds),
      FRONTENDS: cluster.frontends.join(' '),
      TDBG: tdbg,
    },
  });
  return { from, to: Date.now() };
}

/** The whole roll-out is done; what counts is its phase `servers`. */
async function rollByRollout(style: 'careful' | 'strict', { client, input }: RollOrder): Promise<Span> {
  const { workflowId } = await startRollout(client, input(style));
  let began: number | undefined;
  let seconds: number | undefined;
  while ((await executionState(client, workflowId)) === 'RUNNING') {
    const { current, phases, waiting, problem } = await queryStatus(client, workflowId);
    if (current?.environment === 'live' && current.phase === 'servers') began ??= Date.parse(current.since);
    seconds ??= phases.find(({ phase }) => phase === 'servers')?.seconds;
    if (waiting?.for === 'decision') {
      // What the roll-out thinks of the roll is not measured here; what it cannot do is.
      if (!waiting.allowed.includes('approve')) {
        await decide(client, workflowId, 'abort', { gate: waiting.name, by: 'bench', reason: 'the bench' });
        throw new Error(problem ?? waiting.name);
      }
      await decide(client, workflowId, 'approve', { gate: waiting.name, by: 'bench', reason: 'the bench' });
    }
    await sleep(POLL_MS);
  }
  const { status } = await resultOf(client, workflowId);
  if (status !== 'completed' || began === undefined || seconds === undefined)
    throw new Error(`the roll-out ended ${status}, and its phase "servers" was not seen`);
  return { from: began, to: began + seconds * 1_000 };
}
