import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lock } from 'proper-lockfile';
import { splitAddress } from '../../core/address.js';
import type { NodeState } from '../../core/cluster.js';
import { PreconditionError } from '../../core/errors.js';
import type { ProcessNode } from '../../core/input/input.js';
import { listensOn } from './linux-process.js';
import { readLogTail, sizeOf } from './log-tail.js';
import { expectVersion } from '../find-node.js';
import { startDetached } from '../run-command.js';
import { readEnvironment } from '../secrets.js';
import type { Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';

const POLL_MS = 100;
/** A server that cannot start says so and ends within a second or two: port taken, wrong password, old schema. */
const FIRST_MOMENTS_MS = 5_000;

export interface StartOrder {
  readonly version: string;
  /** What runs as this node now. @throws PreconditionError when that is more than one process */
  readonly look: () => Promise<NodeState>;
  readonly tools: ToolResolver;
  readonly allowNoAuth: boolean;
}

/**
 * Starts a node's server, unless it runs already, and watches its first moments.
 * @throws PreconditionError when another version runs, or when the server ends at once: with the tail of its log
 */
export async function startServer(node: ProcessNode, order: StartOrder, work?: Work): Promise<NodeState> {
  const program = await order.tools.serverTool('temporal-server', order.version, work);
  await mkdir(dirname(node.logFile), { recursive: true });
  // Two servers started at the same moment could each take one of the node's ports and both end; so one at a time.
  const release = await lockStart(node);
  try {
    const before = await order.look();
    if (before.running) return expectVersion(before, order.version);
    work?.signal?.throwIfAborted();
    return await launch(node, { program, ...order }, work);
  } finally {
    await release().catch(() => undefined); // taken over while this process was suspended: then it is not ours to give
  }
}

/** The lock of a killed starter is free again after ten seconds. It hangs on the log file, which the worker may write. */
async function lockStart({ logFile }: ProcessNode): Promise<() => Promise<void>> {
  return lock(logFile, {
    realpath: false,
    lockfilePath: `${logFile}.lock`,
    stale: 10_000,
    retries: { retries: 150, factor: 1, minTimeout: 200, maxTimeout: 200 },
    // Its default is to throw where nobody can catch. Two starters at once are decided by the look after the start.
    onCompromised: () => undefined,
  });
}

/** What a node's server is started with. */
export function serverArguments({ configDir, configEnv, role }: ProcessNode, allowNoAuth: boolean): string[] {
  // --root and --config are joined by the server, so that the folder has to be absolute below "/".
  const config = ['--root', '/', '--config', resolve(configDir), '--env', configEnv];
  return [...config, ...(allowNoAuth ? ['--allow-no-auth'] : []), 'start', `--service=${role}`];
}

async function launch(
  node: ProcessNode,
  order: StartOrder & { readonly program: string },
  work?: Work,
): Promise<NodeState> {
  const { env, secrets } = await readEnvironment(node.environment);
  const logStart = await sizeOf(node.logFile);
  const args = serverArguments(node, order.allowNoAuth);
  // Killed on this line: the server runs on, and the next attempt finds it by its arguments.
  const { pid } = await startDetached(order.program, args, { env, cwd: '/', logFile: node.logFile });
  const after = await watchFirstMoments(node, { pid, look: order.look }, work);
  if (after.running) return expectVersion(after, order.version);
  const tail = await readLogTail(node.logFile, logStart, secrets);
  throw new PreconditionError(
    `node ${node.name} ended at once when it was started with ${order.version}; ${
      tail === '' ? `it wrote nothing to ${node.logFile}` : `the end of ${node.logFile}:\n${tail}`
    }`,
    { node: node.name, version: order.version, logFile: node.logFile },
  );
}

/**
 * Until the new process listens, or has ended, or the first moments are over. Somebody else may have started the node at
 * the same time, without the lock; then the ports let one of the two live, and that one is what counts.
 */
async function watchFirstMoments(
  node: ProcessNode,
  { pid, look }: { readonly pid: number; readonly look: () => Promise<NodeState> },
  work?: Work,
): Promise<NodeState> {
  const { port } = splitAddress(node.rpcAddress);
  const end = Date.now() + FIRST_MOMENTS_MS;
  for (;;) {
    await sleep(POLL_MS);
    const isLast = Date.now() >= end;
    const now = await look().catch((error: unknown) => {
      if (isLast || !(error instanceof PreconditionError)) throw error;
      return undefined; // two of them, as yet; or a process that is just turning into the server
    });
    work?.onProgress?.(`starting ${node.name}`);
    if (now === undefined) continue;
    if (isLast || !now.running) return now;
    if (now.instance?.startsWith(`${pid}:`) !== true || (await listensOn(pid, port))) return now;
  }
}
