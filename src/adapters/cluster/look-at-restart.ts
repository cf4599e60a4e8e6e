import type { NodeState } from '../../core/cluster.js';
import type { Target } from '../../core/input/input.js';
import { parseMetrics } from '../../core/measuring/metrics.js';
import { reducePage } from '../../core/measuring/series.js';
import type { RestartLook } from '../../core/restart-proof.js';
import { eachRingView } from './cluster-view.js';
import type { KeptFrontends } from './kept-frontends.js';
import { scrape } from './metrics-scrape.js';
import { askNodeHealth } from './node-health.js';
import { withTarget, type TargetConnection } from './target-connection.js';

const SCRAPE_TIMEOUT_MS = 3_000;

/** What runs of processes said of themselves in an earlier look, by what was asked and their `instance`. */
export type EarlierWords = Map<string, Named>;

/** What looks at one restart share. */
export interface EarlierLooks {
  readonly words: EarlierWords;
  readonly frontends: KeptFrontends;
}

/**
 * Looks once at a process and at what every frontend says of it; `nodes` are those that the driver has just found.
 * Which version a run is never changes, and a page of metrics takes its process tens of milliseconds to write: one that has
 * named its version is in `earlier` and not asked again.
 * @throws PreconditionError when a certificate file cannot be read
 */
export async function lookAtRestart(
  target: Target,
  nodes: readonly NodeState[],
  name: string,
  earlier?: EarlierLooks,
): Promise<RestartLook> {
  const node = nodes.find((one) => one.name === name);
  if (node?.running !== true) return { name, nodes, views: [], named: [] };
  const words = earlier?.words ?? new Map<string, Named>();
  const [views, health, named] = await Promise.all([
    eachRingView(target, nodes, earlier?.frontends),
    askNodeHealth(target, node),
    Promise.all([
      askOnce('GetSystemInfo', node, words, () => askSystemInfo(target, node, earlier?.frontends)),
      askOnce('build_information', node, words, () => askBuildInformation(node)),
    ]),
  ]);
  return { name, nodes, views, health, named: named.filter((one) => one !== undefined) };
}

type Named = RestartLook['named'][number];

/** What a frontend answers to GetSystemInfo. One that does not answer is found out by the rings that it does not name. */
async function askSystemInfo(
  target: Target,
  { role, rpcAddress }: NodeState,
  kept: KeptFrontends | undefined,
): Promise<Named | undefined> {
  if (role !== 'frontend') return undefined;
  const question = (frontend: TargetConnection) =>
    frontend.ask('asking for its version', () => frontend.grpc.workflowService.getSystemInfo({}));
  const asked = kept?.ask(rpcAddress, question) ?? withTarget(target.connection, question, rpcAddress);
  return asked.then(
    ({ serverVersion }) => ({ by: 'GetSystemInfo', version: serverVersion }),
    () => undefined,
  );
}

async function askOnce(
  what: string,
  { instance }: NodeState,
  earlier: EarlierWords,
  ask: () => Promise<Named | undefined>,
): Promise<Named | undefined> {
  if (instance === undefined) return ask();
  const key = `${what} ${instance}`;
  const named = earlier.get(key) ?? (await ask());
  if (named !== undefined) earlier.set(key, named);
  return named;
}

/** Metrics are no condition of serving: where they cannot be read they say nothing. */
async function askBuildInformation({ metricsAddress }: NodeState): Promise<Named | undefined> {
  if (metricsAddress === undefined) return undefined;
  try {
    const lines = (await scrape(metricsAddress, SCRAPE_TIMEOUT_MS)).split('\n');
    const { version } = reducePage(parseMetrics(lines.filter((line) => line.includes('build_information')).join('\n')));
    return version === undefined ? undefined : { by: 'its metric build_information', version };
  } catch {
    return undefined;
  }
}
