import type { NodeState } from './cluster.js';

/** What was seen of a cluster in one look, after one of its processes was started. */
export interface RestartLook {
  /** Name of the process that is looked at. */
  readonly name: string;
  /** Every process of the input, as the driver found them. */
  readonly nodes: readonly NodeState[];
  /** The rings as each frontend that runs sees them. */
  readonly views: readonly RingView[];
  /** What its gRPC health service said; absent where its role has none at its version. */
  readonly health?: string | undefined;
  /** Versions that it names itself, beside that of its binary; those that could not be had are left out. */
  readonly named: readonly { readonly by: string; readonly version: string }[];
}

export interface RingView {
  /** host:port of the frontend. */
  readonly frontend: string;
  /** Role to the addresses (host:port) of its members; absent when it did not say. */
  readonly rings?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Why it did not say. */
  readonly unseen?: string | undefined;
}

export interface WantedRestart {
  readonly version: string;
  /** The run of the process before, which has to be gone; absent where the process was not restarted. */
  readonly replaced?: string | undefined;
}

/** What is still missing. Only what the process itself lacks may put it back to the version before. */
export interface RestartLacks {
  readonly ofNode: readonly string[];
  /** Of the other processes, and of what is left of the one before. */
  readonly ofCluster: readonly string[];
}

/**
 * What a restarted process still lacks: it runs, as the wanted version by its binary and by its own word; it is SERVING; every
 * frontend sees it in the ring of its role and in no other; and every ring has just the processes that run.
 */
export function lacksOf(look: RestartLook, wanted: WantedRestart): RestartLacks {
  const node = look.nodes.find(({ name }) => name === look.name);
  if (node === undefined) return { ofNode: [`the target has no node ${look.name}`], ofCluster: [] };
  if (!node.running) return { ofNode: ['no process runs'], ofCluster: [] };
  return {
    ofNode: [...ownLacks(node, look, wanted), ...look.views.flatMap((view) => ownLacksInView(node, view))],
    ofCluster: [
      ...(look.views.length === 0 ? ['no frontend runs that could be asked for the rings'] : []),
      ...look.views.flatMap((view) => othersInView(node, look.nodes, view)),
    ],
  };
}

/** Differs as soon as a member came or went in any view, or any process was started anew. */
export function membershipOf({ nodes, views }: RestartLook): string {
  return JSON.stringify([
    nodes.map(({ name, instance }) => [name, instance]),
    views.map(({ frontend, rings = {} }) => [frontend, Object.entries(rings).toSorted(([a], [b]) => (a < b ? -1 : 1))]),
  ]);
}

function ownLacks(
  { instance, version, role, rpcAddress }: NodeState,
  { health, named, views }: RestartLook,
  wanted: WantedRestart,
): string[] {
  const names = [{ by: 'its binary', version: version ?? 'unknown' }, ...named];
  const isSilentFrontend =
    role === 'frontend' && views.some(({ frontend, rings }) => frontend === rpcAddress && rings === undefined);
  return [
    ...(wanted.replaced !== undefined && instance === wanted.replaced ? ['it is still the process from before'] : []),
    ...names.filter((one) => one.version !== wanted.version).map((one) => `${one.by} says ${one.version}`),
    ...(health === undefined || health === 'SERVING' ? [] : [`its health service says ${health}`]),
    ...(isSilentFrontend ? ['it does not answer as a frontend'] : []),
  ];
}

function ownLacksInView({ role, rpcAddress }: NodeState, { frontend, rings }: RingView): string[] {
  if (rings === undefined) return [];
  const seenIn = Object.keys(rings).filter((ring) => rings[ring]?.includes(rpcAddress));
  return [
    ...(seenIn.includes(role) ? [] : [`frontend ${frontend} does not see it in the ring of ${role}`]),
    ...seenIn
      .filter((ring) => ring !== role)
      .map((ring) => `frontend ${frontend} sees it in the ring of ${ring}, and it is a ${role}`),
  ];
}

function othersInView(node: NodeState, nodes: readonly NodeState[], { frontend, rings, unseen }: RingView): string[] {
  if (rings === undefined) {
    // Its own silence is its own lack.
    return frontend === node.rpcAddress
      ? []
      : [`frontend ${frontend} did not name its rings: ${unseen ?? 'no answer'}`];
  }
  const others = nodes.filter(({ running, name }) => running && name !== node.name);
  const strays = Object.entries(rings).flatMap(([role, members]) =>
    members
      .filter((address) => address !== node.rpcAddress)
      .filter((address) => !others.some((one) => one.role === role && one.rpcAddress === address))
      .map((address) => `frontend ${frontend} sees ${address} in the ring of ${role}, where no such process runs`),
  );
  const missing = others
    .filter(({ role, rpcAddress }) => rings[role]?.includes(rpcAddress) !== true)
    .map(({ name, role }) => `frontend ${frontend} does not see ${name} in the ring of ${role}`);
  return [...strays, ...missing];
}
