import type { NodeState } from '../../core/cluster.js';
import { messageOf } from '../../core/errors.js';
import type { Target } from '../../core/input/input.js';
import {
  isRingsBeat,
  type DatabaseSample,
  type ProcessSample,
  type RingsSample,
  type Round,
} from '../../core/measuring/round.js';
import { ringViews } from '../cluster/cluster-view.js';
import { hasHealthService } from '../cluster/node-health.js';
import { checkHealth, HEALTH_SERVICES } from '../grpc-health.js';
import type { OpenTarget } from '../open-target.js';
import { readPages, type Page } from './read-pages.js';

/** Long for an answer, short enough that a round ends while it still is news. */
const TIMEOUT_MS = 5_000;
const HEALTH_TIMEOUT_MS = 3_000;

/** Samples all processes and databases of a target once. What cannot be had is left out, with the reason; nothing throws. */
export async function sampleRound(
  target: Target,
  { driver, stores }: OpenTarget,
  { at, beatMs }: Pick<Round, 'at' | 'beatMs'>,
): Promise<Round> {
  const nodes = await driver.listNodes().catch(() => target.driver.nodes.map((node) => ({ ...node, running: false })));
  const [pages, defaultStore, visibility, rings] = await Promise.all([
    readPages(target, nodes, TIMEOUT_MS),
    sampleDatabase('default', () => stores.default.measure(TIMEOUT_MS)),
    sampleDatabase('visibility', () => stores.visibility.measure(TIMEOUT_MS)),
    isRingsBeat(at, beatMs) ? sampleRings(target, nodes) : undefined,
  ]);
  const processes = await Promise.all(
    nodes.map(async (node) => ({
      ...(await sampleProcess(target, node, pages.get(node.name))),
      ...(await driver.readUsage(node).catch(() => undefined)),
    })),
  );
  return { at, beatMs, processes, databases: [defaultStore, visibility], ...(rings === undefined ? {} : { rings }) };
}

async function sampleProcess(
  target: Target,
  node: NodeState,
  page: Page = { problem: 'not asked' },
): Promise<ProcessSample> {
  const reading = 'reading' in page ? page.reading : undefined;
  const version = node.version ?? reading?.version;
  const health = hasHealthService(node.role, version) ? await askHealth(target, node) : undefined;
  const readAt = 'reading' in page ? page.readAt : undefined;
  // Not among the processes of this host, and yet it answers: it runs elsewhere. What a Prometheus still shows is no answer
  // where the process itself can be asked.
  const answers = reading !== undefined && (readAt === undefined || health === undefined);
  const elsewhere = !node.running && (answers || (health !== undefined && health !== 'UNREACHABLE'));
  return {
    node: node.name,
    role: node.role,
    running: elsewhere ? null : node.running,
    ...(node.instance === undefined ? {} : { instance: node.instance }),
    ...(node.startedAt === undefined ? {} : { beganAt: Date.parse(node.startedAt) }),
    ...(node.version === undefined ? {} : { binaryVersion: node.version }),
    ...(health === undefined ? {} : { health }),
    ...('reading' in page ? { reading: page.reading } : { problem: page.problem }),
    ...(readAt === undefined ? {} : { readAt }),
  };
}

async function askHealth(target: Target, node: NodeState): Promise<NonNullable<ProcessSample['health']>> {
  const frontendTls = 'address' in target.connection ? target.connection.tls : undefined;
  const tls = node.role === 'frontend' ? frontendTls : target.driver.internodeTls;
  // An unreadable certificate is found by preflight; here it is one more reason why nobody answers.
  return checkHealth(node.rpcAddress, HEALTH_SERVICES[node.role], tls, HEALTH_TIMEOUT_MS).catch(() => 'UNREACHABLE');
}

async function sampleDatabase(
  store: DatabaseSample['store'],
  measure: () => Promise<NonNullable<DatabaseSample['facts']>>,
): Promise<DatabaseSample> {
  try {
    return { store, facts: await measure() };
  } catch (error) {
    return { store, problem: messageOf(error) };
  }
}

async function sampleRings(target: Target, nodes: readonly NodeState[]): Promise<RingsSample> {
  try {
    const views = await ringViews(target, nodes);
    const [first] = views;
    if (first === undefined) return { equal: false, problem: 'no frontend runs that could be asked' };
    const other = views.find(({ rings }) => JSON.stringify(rings) !== JSON.stringify(first.rings));
    if (other !== undefined)
      return { equal: false, problem: `${first.frontend} and ${other.frontend} name other members` };
    const roles = [...new Set(nodes.filter(({ running }) => running).map(({ role }) => role))];
    const wrong = roles.find(
      (role) => first.rings[role]?.length !== nodes.filter((one) => one.running && one.role === role).length,
    );
    if (wrong === undefined) return { equal: true };
    const members = first.rings[wrong]?.length ?? 0;
    return {
      equal: false,
      problem: `the ring of ${wrong} has ${members} members, which is not how many processes run`,
    };
  } catch (error) {
    return { equal: false, problem: messageOf(error) };
  }
}
