import type { NodeState } from '../../core/cluster.js';
import { messageOf } from '../../core/errors.js';
import type { Target } from '../../core/input/input.js';
import { listedNodes } from '../../core/input/listed-nodes.js';
import { ofPart, partsIn } from '../../core/stores.js';
import { isRingsBeat, type DatabaseSample, type ProcessSample, type Round } from '../../core/measuring/round.js';
import { askNodeHealth } from '../cluster/node-health.js';
import type { OpenTarget } from '../open-target.js';
import { askForRings, compareRings, type Member } from './sample-rings.js';
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
  const listed = await listNodes(target, driver);
  const [pages, databases, views] = await Promise.all([
    readPages(target, listed.nodes, { timeoutMs: TIMEOUT_MS, beatMs }),
    Promise.all(partsIn(stores).map((part) => sampleDatabase(part, () => ofPart(stores, part).measure(TIMEOUT_MS)))),
    isRingsBeat(at, beatMs) ? askForRings(target, listed.nodes) : undefined,
  ]);
  const nodes = await nodesAfter(listed.nodes, pages, driver);
  const sampled = await Promise.all(
    nodes.map(async (node) => ({
      ...(await sampleProcess(target, node, { page: pages.get(node.name), problem: listed.problem })),
      ...(await driver.readUsage(node).catch(() => undefined)),
    })),
  );
  const processes = listed.problem === undefined ? await startedMeanwhile(sampled, driver) : sampled;
  return {
    at,
    beatMs,
    processes,
    databases,
    ...(views === undefined ? {} : { rings: compareRings(views, membersOf(nodes, processes)) }),
    ...(listed.problem === undefined ? {} : { problem: listed.problem }),
  };
}

/**
 * A process whose page could not be read may have ended between the two questions, as in every roll now and then: then it is
 * sampled as it is since. Else it would count as one that runs and hides what it counts.
 */
async function nodesAfter(
  nodes: readonly NodeState[],
  pages: ReadonlyMap<string, Page>,
  driver: OpenTarget['driver'],
): Promise<readonly NodeState[]> {
  const isHidden = ({ name, running }: NodeState) => running && !('reading' in (pages.get(name) ?? {}));
  if (!nodes.some(isHidden)) return nodes;
  const since = await driver.listNodes().catch(() => nodes);
  return nodes.map((node) => (isHidden(node) ? (since.find((one) => isSame(one, node)) ?? node) : node));
}

/**
 * A process that was not there when they were listed, and answers, may have been started between the two questions: then it is
 * the one that runs since. Else it runs on another host, and which run of it nobody here can tell.
 */
async function startedMeanwhile(
  processes: readonly ProcessSample[],
  driver: OpenTarget['driver'],
): Promise<readonly ProcessSample[]> {
  if (processes.every(({ running }) => running !== null)) return processes;
  const since = await driver.listNodes().catch(() => []);
  return processes.map((one) => {
    const node = since.find((listed) => nameInRounds(listed) === one.node);
    return one.running === null && node?.running === true ? { ...one, running: true, ...runOf(node) } : one;
  });
}

/** A pod by its own name: the slot that it fills is another one when others came or went. */
function nameInRounds({ pod, name }: NodeState): string {
  return pod ?? name;
}

function isSame(one: NodeState, other: NodeState): boolean {
  return nameInRounds(one) === nameInRounds(other);
}

/** Which run of a process it is, as far as the driver can tell. */
function runOf({
  instance,
  startedAt,
  version,
}: NodeState): Pick<ProcessSample, 'instance' | 'beganAt' | 'binaryVersion'> {
  return {
    ...(instance === undefined ? {} : { instance }),
    ...(startedAt === undefined ? {} : { beganAt: Date.parse(startedAt) }),
    ...(version === undefined ? {} : { binaryVersion: version }),
  };
}

interface Listed {
  readonly nodes: readonly NodeState[];
  /** Why nobody knows which of them run here. */
  readonly problem?: string;
}

async function listNodes(target: Target, driver: OpenTarget['driver']): Promise<Listed> {
  try {
    const nodes = await driver.listNodes();
    // One that is wanted and has no pod is nothing that could be sampled.
    return { nodes: target.driver.type === 'kubernetes' ? nodes.filter(({ pod }) => pod !== undefined) : nodes };
  } catch (error) {
    const problem = `the processes of this host could not be listed: ${messageOf(error)}`;
    return { nodes: (listedNodes(target) ?? []).map((node) => ({ ...node, running: false })), problem };
  }
}

async function sampleProcess(
  target: Target,
  node: NodeState,
  {
    page = { problem: 'not asked' },
    problem,
  }: { readonly page: Page | undefined; readonly problem: string | undefined },
): Promise<ProcessSample> {
  const reading = 'reading' in page ? page.reading : undefined;
  const version = node.version ?? reading?.version;
  // An unreadable certificate is found by preflight; here it is one more reason why nobody answers.
  const health = await askNodeHealth(target, { ...node, version }, HEALTH_TIMEOUT_MS).catch(
    () => 'UNREACHABLE' as const,
  );
  const readAt = 'reading' in page ? page.readAt : undefined;
  // Not among the processes of this host, and yet it answers: it runs elsewhere. What a Prometheus still shows is no answer
  // where the process itself can be asked.
  const answers = reading !== undefined && (readAt === undefined || health === undefined);
  const elsewhere = !node.running && (answers || (health !== undefined && health !== 'UNREACHABLE'));
  return {
    node: nameInRounds(node),
    ...(node.pod === undefined ? {} : { pod: true as const }),
    role: node.role,
    running: elsewhere || problem !== undefined ? null : node.running,
    ...runOf(node),
    ...(health === undefined ? {} : { health }),
    ...('reading' in page ? { reading: page.reading } : {}),
    ...('problem' in page || problem !== undefined ? { problem: both(page, problem) } : {}),
    ...(readAt === undefined ? {} : { readAt }),
  };
}

function both(page: Page, problem: string | undefined): string {
  return [...('problem' in page ? [page.problem] : []), ...(problem === undefined ? [] : [problem])].join('; ');
}

/** Whether each node is up, as far as what was sampled tells. */
function membersOf(nodes: readonly NodeState[], processes: readonly ProcessSample[]): readonly Member[] {
  return nodes.map(({ role, rpcAddress }, index) => ({ role, rpcAddress, isUp: isUp(processes[index]) }));
}

function isUp(sample: ProcessSample | undefined): boolean | undefined {
  if (sample === undefined) return undefined;
  const { running, health, reading } = sample;
  if (running === true || reading !== undefined) return true;
  // Not running here alone says nothing: it may run elsewhere. That its port does not answer either does.
  return health === undefined ? undefined : health !== 'UNREACHABLE';
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
