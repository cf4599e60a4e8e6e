import type {
  ClusterSurvey,
  FrontendSurvey,
  KnownCluster,
  RingView,
  StrangerSurvey,
  ToolSurvey,
} from '../../core/survey/cluster-survey.js';
import type { NodeState } from '../../core/cluster.js';
import { databaseNameOf, pluginOf, type StoreInput, type Target } from '../../core/input/input.js';
import { nodesOf } from '../../core/input/listed-nodes.js';
import { mapStores } from '../../core/stores.js';
import type { NamespacesSurvey } from '../../core/survey/namespace-survey.js';
import { type Seen, valueOf } from '../../core/survey/seen.js';
import { surveyCompose } from '../compose/survey-compose.js';
import { surveyKubernetes } from '../kubernetes/survey-kubernetes.js';
import { createDriver, frontendsOf } from '../open-target.js';
import type { Work } from '../store.js';
import type { ServerTool, ToolResolver } from '../tools/tools.js';
import { look } from './look.js';
import { surveyNamespaces } from './survey-namespaces.js';
import { askStranger, surveyProcesses } from './survey-processes.js';
import { surveyRings } from './survey-rings.js';
import { readClusterInfo } from './target-cluster.js';
import { withTarget as withFrontend, type TargetConnection } from './target-connection.js';

/** One that takes longer to answer is itself a finding. */
const CALL_TIMEOUT_MS = 3_000;
/** What a hop runs of each version. The server only where this worker starts it; else its driver has it where it runs. */
const HOP_TOOLS: Readonly<Record<Target['driver']['type'], readonly ServerTool[]>> = {
  process: ['temporal-server', 'temporal-sql-tool'],
  systemd: ['temporal-sql-tool'],
  command: ['temporal-sql-tool'],
  compose: ['temporal-sql-tool'],
  kubernetes: ['temporal-sql-tool'],
};

export interface SurveyOptions {
  /** Server versions whose programs are looked for: those that hops lead to. None when a cluster is looked at alone. */
  readonly versions?: readonly string[];
  readonly work?: Work;
}

/**
 * Looks at frontends, processes, rings and namespaces of a target, side by side, without changing anything and without
 * bringing a program. Never throws for what the target says or does not say: that part is unseen.
 */
export async function surveyCluster(
  target: Target,
  tools: ToolResolver,
  { versions = [], work = {} }: SurveyOptions = {},
): Promise<ClusterSurvey> {
  // First, and in no time: who is known not to run is not waited for.
  const nodes = await look(() => createDriver(target, tools).listNodes());
  const addresses = frontendsOf(target, valueOf(nodes) ?? []).map((address) => ({
    address,
    down: nodeThatIsDown(nodes, address),
  }));
  const [frontends, processes, rings, throughFrontend, found, kubernetes, compose] = await Promise.all([
    surveyFrontends(target, addresses),
    surveyProcesses(target, nodes),
    surveyRings(target, nodes),
    throughAFrontend(
      target,
      addresses.filter(({ down }) => down === undefined).map(({ address }) => address),
    ),
    lookForTools(tools, { wanted: HOP_TOOLS[target.driver.type], versions, work }),
    target.driver.type === 'kubernetes' ? surveyKubernetes(target.driver) : undefined,
    target.driver.type === 'compose' ? surveyCompose(target.driver) : undefined,
  ]);
  return {
    input: {
      driver: target.driver.type,
      stores: mapStores(target.stores, storeName),
    },
    frontends,
    nodes,
    processes,
    rings,
    strangers: await surveyStrangers(target, valueOf(nodes) ?? [], rings),
    ...throughFrontend,
    ...(kubernetes === undefined ? {} : { kubernetes }),
    ...(compose === undefined ? {} : { compose }),
    tools: found,
  };
}

function storeName(store: StoreInput) {
  return { plugin: pluginOf(store), database: databaseNameOf(store) };
}

/** Name of the process of the input at this address, when that does not run. */
function nodeThatIsDown(nodes: Seen<readonly NodeState[]>, address: string): string | undefined {
  const states = 'seen' in nodes ? nodes.seen : [];
  return states.find(({ rpcAddress, running }) => rpcAddress === address && !running)?.name;
}

async function surveyFrontends(
  target: Target,
  addresses: readonly { readonly address: string; readonly down: string | undefined }[],
): Promise<FrontendSurvey[]> {
  return Promise.all(
    addresses.map(async ({ address, down }) => {
      if (down !== undefined) return { address, info: { unseen: `${down} does not run` } };
      return { address, info: await look(() => withFrontend(target.connection, readFrontend, address)) };
    }),
  );
}

async function readFrontend(frontend: TargetConnection) {
  const { serverVersion, ...info } = await readClusterInfo(impatient(frontend));
  return { ...info, version: serverVersion };
}

/** The same connection, on which no call waits longer than a survey may take. */
function impatient(target: TargetConnection): TargetConnection {
  return { ...target, ask: (what, calls, timeoutMs = CALL_TIMEOUT_MS) => target.ask(what, calls, timeoutMs) };
}

interface ThroughFrontend {
  readonly namespaces: Seen<NamespacesSurvey>;
  readonly knownClusters: Seen<readonly KnownCluster[]>;
}

/** What any frontend can tell of the whole cluster: asked of the first that can be connected to. */
async function throughAFrontend(target: Target, addresses: readonly string[]): Promise<ThroughFrontend> {
  let nobody: { readonly unseen: string } = { unseen: 'no frontend runs' };
  for (const address of addresses) {
    const asked = await look(() => withFrontend(target.connection, askOfCluster, address));
    if ('seen' in asked) return asked.seen;
    nobody = asked;
  }
  return { namespaces: nobody, knownClusters: nobody };
}

async function askOfCluster(frontend: TargetConnection): Promise<ThroughFrontend> {
  const connection = impatient(frontend);
  const [namespaces, knownClusters] = await Promise.all([
    look(() => surveyNamespaces(connection)),
    look(() => listClusters(connection)),
  ]);
  return { namespaces, knownClusters };
}

async function listClusters(target: TargetConnection): Promise<KnownCluster[]> {
  const { clusters } = await target.ask('listing clusters', () => target.grpc.operatorService.listClusters({}));
  return clusters.map(({ clusterName, clusterId, address, isConnectionEnabled }) => ({
    name: clusterName ?? '',
    clusterId: clusterId ?? '',
    address: address ?? '',
    connected: isConnectionEnabled === true,
  }));
}

async function surveyStrangers(
  target: Target,
  nodes: readonly NodeState[],
  views: readonly RingView[],
): Promise<StrangerSurvey[]> {
  const known = new Set(nodesOf(target, nodes).map(({ rpcAddress }) => rpcAddress));
  const members = views.flatMap(({ rings }) =>
    Object.entries('seen' in rings ? rings.seen : {}).flatMap(([role, addresses]) =>
      addresses.filter((address) => !known.has(address)).map((address) => ({ role, address })),
    ),
  );
  const unique = [...new Map(members.map((member) => [`${member.role} ${member.address}`, member])).values()];
  const frontendTls = 'address' in target.connection ? target.connection.tls : undefined;
  return Promise.all(
    unique.map(async ({ role, address }) => {
      const tls = role === 'frontend' ? frontendTls : target.driver.internodeTls;
      return { role, address, health: await askStranger(address, role, tls) };
    }),
  );
}

interface ToolSearch {
  readonly wanted: readonly ServerTool[];
  readonly versions: readonly string[];
  readonly work: Work;
}

async function lookForTools(tools: ToolResolver, { wanted, versions, work }: ToolSearch): Promise<ToolSurvey[]> {
  const searches = versions.flatMap((version) => wanted.map((tool) => ({ tool, version })));
  return Promise.all(
    searches.map(async ({ tool, version }) => ({
      tool,
      version,
      place: await look(async () => {
        const place = await tools.lookForServerTool(tool, version, work);
        if ('at' in place) return place;
        return { from: place.from, why: place.tried.map(({ place: at, reason }) => `${at}: ${reason}`).join('; ') };
      }),
    })),
  );
}
