import { setTimeout as sleep } from 'node:timers/promises';
import { KeptFrontends } from '../adapters/cluster/kept-frontends.js';
import { lookAtRestart, type EarlierLooks } from '../adapters/cluster/look-at-restart.js';
import { callInARow } from '../adapters/cluster/raw-calls.js';
import type { Driver } from '../adapters/driver.js';
import type { Work } from '../adapters/store.js';
import type { NodeState } from '../core/cluster.js';
import { messageOf, PreconditionError, UnreachableError } from '../core/errors.js';
import type { Target } from '../core/input/input.js';
import { RestartWatch, type RestartVerdict } from '../core/restart-watch.js';
import { waitUntilOutOfView } from './out-of-view.js';

const LOOK_AGAIN_MS = 500;
/**
 * Where all is there and only has to stay: each look takes time from the servers and their clients. Nobody is away for less:
 * ringpop suspects a silent member for five seconds, and a process that was started anew is seen to be another run at any time.
 */
const LOOK_WHEN_CALM_MS = 1_000;
/** Workflow ids that meet most of a few shards' owners. */
const CALLS = 8;

export interface BringOrder {
  readonly target: Target;
  readonly node: string;
  readonly version: string;
  /** How long the rings have to be quiet, in milliseconds. */
  readonly quietMs: number;
  /** Whether it has to be quiet also where the version runs already: an attempt before this one may have just started it. */
  readonly mayBeNew: boolean;
}

/** A process with its place in the rings, proved. */
export interface Brought {
  readonly before: NodeState;
  readonly after: NodeState;
  /** Since when it has shown all that was asked of it, milliseconds since 1970: the beginning of the quiet time. */
  readonly servesSince: number;
  readonly changed: boolean;
  /** Frontends that still saw the old process when the new one was started; where it was not waited for, none. */
  readonly stillSeenBy: readonly string[];
}

/** The process does not come up with this version. Anything else that goes wrong is another error. */
export class DidNotComeUpError extends Error {
  override readonly name = 'DidNotComeUpError';
}

/** It serves, and the cluster around it does not become as it has to be. Not mended by starting the process again. */
export class UnsettledError extends Error {
  override readonly name = 'UnsettledError';
}

/**
 * Makes a node run `version` and proves it: stops what runs there with another one, waits until nobody sees it any more, starts
 * it (or has its driver replace it in its own way), and looks until all that a restart has to show is there. Run again after it was killed on any line, it goes on from
 * what it finds.
 * @throws DidNotComeUpError, UnsettledError
 */
export async function bringNode(driver: Driver, order: BringOrder, work: Work): Promise<Brought> {
  const { node, version } = order;
  await using frontends = new KeptFrontends(order.target.connection);
  const before = nodeNamed(await driver.listNodes(), node);
  const changed = before.version !== version;
  let stillSeenBy: readonly string[] = [];
  if (changed && driver.replaceNode === undefined) {
    await driver.stopNode(node, work);
    stillSeenBy = await waitUntilOutOfView(driver, { ...order, frontends }, work);
  }
  // Also where it is not changed: what an attempt before this one has begun is brought to its end.
  const bring = driver.replaceNode?.(node, version, work) ?? driver.startNode(node, version, work);
  await bring.catch((error: unknown) => {
    // A worker that is told to stop says nothing of the process.
    work.signal?.throwIfAborted();
    // Of a host that cannot be reached nothing is known: it is asked again, and no process is put back for it.
    if (error instanceof UnreachableError) throw error;
    throw new DidNotComeUpError(messageOf(error), { cause: error });
  });
  const replaced = changed ? before.instance : undefined;
  const proved = await prove(
    driver,
    { ...order, frontends, quietMs: changed || order.mayBeNew ? order.quietMs : 0, replaced },
    work,
  );
  return { before, ...proved, changed, stillSeenBy };
}

export function nodeNamed(nodes: readonly NodeState[], name: string): NodeState {
  const node = nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new PreconditionError(`the target has no node ${name}`);
  return node;
}

async function prove(
  driver: Driver,
  {
    target,
    node,
    version,
    quietMs,
    replaced,
    frontends,
  }: BringOrder & { readonly replaced: string | undefined; readonly frontends: KeptFrontends },
  work: Work,
): Promise<Pick<Brought, 'after' | 'servesSince'>> {
  const patience = { startMs: target.driver.startTimeout, quietMs };
  const watch = new RestartWatch(Date.now(), { version, replaced }, patience);
  const earlier: EarlierLooks = { words: new Map(), frontends };
  for (;;) {
    work.signal?.throwIfAborted();
    const nodes = await driver.listNodes();
    let verdict: RestartVerdict = watch.see(Date.now(), await lookAtRestart(target, nodes, node, earlier));
    if (verdict.is === 'quiet') {
      const failure = await callInARow(target.connection, CALLS);
      if (failure === undefined) return { after: nodeNamed(nodes, node), servesSince: verdict.since };
      verdict = watch.unsettled(Date.now(), failure);
    }
    if (verdict.is === 'down') throw new DidNotComeUpError(`node ${node} was started with ${version}: ${verdict.why}`);
    if (verdict.is === 'unsettled') {
      throw new UnsettledError(
        `node ${node} runs ${version} and serves, but what is around it is not as it has to be: ${verdict.why}. It was left as it is; mend that, then say retry, which looks again`,
      );
    }
    if (verdict.is === 'waiting') work.onProgress?.(`${node} with ${version} waits for: ${verdict.for}`);
    await sleep(pauseAfter(verdict), undefined, { signal: work.signal });
  }
}

/** Milliseconds to the next look; never past the moment at which it has been quiet for long enough. */
function pauseAfter(verdict: RestartVerdict): number {
  if (verdict.is !== 'waiting' || verdict.calmMs === undefined) return LOOK_AGAIN_MS;
  return Math.min(LOOK_WHEN_CALM_MS, verdict.calmMs);
}
