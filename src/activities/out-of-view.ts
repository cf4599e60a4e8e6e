import { setTimeout as sleep } from 'node:timers/promises';
import { eachRingView } from '../adapters/cluster/cluster-view.js';
import type { KeptFrontends } from '../adapters/cluster/kept-frontends.js';
import type { Driver } from '../adapters/driver.js';
import type { Work } from '../adapters/store.js';
import { PreconditionError } from '../core/errors.js';
import type { Target } from '../core/input/input.js';

const LOOK_AGAIN_MS = 500;
/** After a kill the other members find out by themselves: ringpop suspects a silent member for five seconds. */
const WITHIN_MS = 20_000;

export interface ViewOrder {
  readonly target: Target;
  /** The node that was stopped. */
  readonly node: string;
  readonly frontends: KeptFrontends;
}

/**
 * Waits until no frontend sees the stopped process, so that its successor at the same address is not taken for it. Not where
 * it is the only one of its role: nobody could take over meanwhile. A view that stays behind keeps no process down for long.
 * Gives the frontends that still see it then.
 */
export async function waitUntilOutOfView(
  driver: Pick<Driver, 'listNodes'>,
  { target, node: name, frontends }: ViewOrder,
  work: Work,
  withinMs = WITHIN_MS,
): Promise<readonly string[]> {
  const end = Date.now() + withinMs;
  let seeing: readonly string[] = [];
  while (Date.now() < end) {
    work.signal?.throwIfAborted();
    const nodes = await driver.listNodes();
    const stopped = nodes.find((one) => one.name === name);
    if (stopped === undefined) throw new PreconditionError(`the target has no node ${name}`);
    const { role, rpcAddress } = stopped;
    if (!nodes.some((one) => one.name !== name && one.role === role && one.running)) return [];
    const views = await eachRingView(target, nodes, frontends);
    seeing = views.filter(({ rings }) => rings?.[role]?.includes(rpcAddress) === true).map(({ frontend }) => frontend);
    if (seeing.length === 0) return [];
    work.onProgress?.(`${name} has gone; ${seeing.join(', ')} still see it`);
    await sleep(LOOK_AGAIN_MS, undefined, { signal: work.signal });
  }
  return seeing;
}
