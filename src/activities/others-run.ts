import { setTimeout as sleep } from 'node:timers/promises';
import { eachRingView } from '../adapters/cluster/cluster-view.js';
import { KeptFrontends } from '../adapters/cluster/kept-frontends.js';
import type { Driver } from '../adapters/driver.js';
import type { Work } from '../adapters/store.js';
import type { NodeState } from '../core/cluster.js';
import { PreconditionError } from '../core/errors.js';
import type { Target } from '../core/input/input.js';

const LOOK_AGAIN_MS = 500;
/** A supervisor starts what has died within seconds; longer is for a person to look at. */
const WITHIN_MS = 30_000;

export interface OthersOrder {
  readonly target: Target;
  readonly node: string;
  /** Nodes that are replaced at the same time, and so may be away. */
  readonly beside?: readonly string[] | undefined;
  /** What happens, or does not, while another one is down: ends the sentence that tells of it. */
  readonly meanwhile: string;
}

/**
 * Waits until every other process of the target runs, and until each of the same role is seen in its ring by every frontend that
 * answers, so that no role loses a process while another is away that was not meant to be. A view that stays behind is waited for
 * and stops nothing.
 * @throws PreconditionError that names what does not run after `withinMs` milliseconds
 */
export async function waitUntilOthersRun(
  driver: Pick<Driver, 'listNodes'>,
  order: OthersOrder,
  work: Work,
  withinMs = WITHIN_MS,
): Promise<void> {
  const { target, node, beside = [], meanwhile } = order;
  await using frontends = new KeptFrontends(target.connection);
  for (const end = Date.now() + withinMs; ; await sleep(LOOK_AGAIN_MS, undefined, { signal: work.signal })) {
    work.signal?.throwIfAborted();
    const nodes = await driver.listNodes();
    const others = nodes.filter(({ name, leaving }) => name !== node && !beside.includes(name) && leaving !== true);
    const down = others.filter(({ running }) => !running).map(({ name }) => name);
    const unseen = down.length > 0 ? [] : await unseenOf(others, { ...order, nodes, frontends });
    if (down.length === 0 && (unseen.length === 0 || Date.now() >= end)) return;
    if (down.length > 0 && Date.now() >= end) throw new PreconditionError(textOf(down, meanwhile), { node, down });
    work.onProgress?.(`${node} waits until ${[...down, ...unseen].join(', ')} is there again`);
  }
}

function textOf(down: readonly string[], meanwhile: string): string {
  const [is, it] = down.length === 1 ? ['does', 'it'] : ['do', 'them'];
  return `${down.join(', ')} ${is} not run, and nobody started ${it} anew: ${meanwhile}. Look why ${it === 'it' ? 'it' : 'they'} ended, then say retry, which brings up first what is down`;
}

/** Those of the role of the node that a frontend, which says who is in its rings, does not see. */
async function unseenOf(
  others: readonly NodeState[],
  {
    target,
    node: name,
    nodes,
    frontends,
  }: OthersOrder & { readonly nodes: readonly NodeState[]; readonly frontends: KeptFrontends },
): Promise<string[]> {
  const role = nodes.find((one) => one.name === name)?.role;
  const same = others.filter((one) => one.role === role);
  if (role === undefined || same.length === 0) return [];
  const views = await eachRingView(target, nodes, frontends);
  const isSeen = ({ rpcAddress }: NodeState) =>
    views.every(({ rings }) => rings === undefined || rings[role]?.includes(rpcAddress) === true);
  return same.filter((one) => !isSeen(one)).map((one) => one.name);
}
