import type {
  ClusterSurvey,
  FrontendSurvey,
  KnownCluster,
  RingView,
  StrangerSurvey,
  ToolSurvey,
} from '../../core/cluster-survey.js';
import type { NodeState } from '../../core/cluster.js';
import type { Target } from '../../core/input.js';
import type { NamespacesSurvey } from '../../core/namespace-survey.js';
import type { Seen } from '../../core/seen.js';
import { createDriver, frontendsOf } from '../open-target.js';
import type { Work } from '../store.js';
import type { ServerTool, ToolResolver } from '../tools/tools.js';
import { look } from './look.js';
import { surveyNamespaces } from './survey-namespaces.js';
import { askStranger, surveyProcesses } from './survey-processes.js';
import { surveyRings } from './survey-rings.js';
import { readClusterInfo } from './target-cluster.js';
import { withTarget as withFrontend, type TargetConnection } from './target-connection.js';

/** A frontend that takes longer to answer is itself a finding. */
const CALL_TIMEOUT_MS = 3_000;
/** What a hop runs of each version. */
const HOP_TOOLS = ['temporal-server', 'temporal-sql-tool', 'tdbg'] as const satisfies readonly ServerTool[];

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
  const frontends = surveyFrontends(target, nodes);
  const running = frontends.then((asked) => runningVersions(asked, nodes));
  const [asked, processes, rings, throughFrontend, found] = await Promise.all([
    frontends,
    surveyProcesses(target, nodes),
    surveyRings(target, { nodes, tools, versions: running.then((present) => [...versions, ...present]), work }),
    frontends.then((answers) => throughAFrontend(target, answers)),
    lookForTools(tools, versions, work),
  ]);
  return {
    input: { stores: { default: storeName(target.stores.default), visibility: storeName(target.stores.visibility) } },
    frontends: asked,
    nodes,
    processes,
    rings,
    strangers: await surveyStrangers(target, rings),
    ...throughFrontend,
    tools: found,
  };
}

function storeName({ plugin, database }: Target['stores']['default']) {
  return { plugin, database };
}

async function surveyFrontends(target: Target, nodes: Seen<readonly NodeState[]>): Promise<FrontendSurvey[]> {
  const down = ('seen' in nodes ? nodes.seen : []).filter(({ running }) => !running);
  return Promise.all(
    frontendsOf(target).map(async (address) => {
      const node = down.find(({ rpcAddress }) => rpcAddress === address);
      if (node !== undefined) return { address, info: { unseen: `${node.name} does not run` } };
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

function runningVersions(frontends: readonly FrontendSurvey[], nodes: Seen<readonly NodeState[]>): string[] {
  const found = [
    ...frontends.map(({ info }) => ('seen' in info ? info.seen.version : undefined)),
    ...('seen' in nodes ? nodes.seen : []).map(({ version }) => version),
  ];
  return [...new Set(found.filter((version) => version !== undefined))];
}

/** What any frontend can tell of the whole cluster: asked of one that answered, else of the connection's own. */
async function throughAFrontend(
  target: Target,
  frontends: readonly FrontendSurvey[],
): Promise<{
  readonly namespaces: Seen<NamespacesSurvey>;
  readonly knownClusters: Seen<readonly KnownCluster[]>;
}> {
  const answered = frontends.find(({ info }) => 'seen' in info);
  if (answered === undefined) {
    const nobody = { unseen: 'no frontend answers' };
    return { namespaces: nobody, knownClusters: nobody };
  }
  const asked = await look(() =>
    withFrontend(
      target.connection,
      async (frontend) => {
        const connection = impatient(frontend);
        const [namespaces, knownClusters] = await Promise.all([
          look(() => surveyNamespaces(connection)),
          look(() => listClusters(connection)),
        ]);
        return { namespaces, knownClusters };
      },
      answered.address,
    ),
  );
  return 'seen' in asked ? asked.seen : { namespaces: asked, knownClusters: asked };
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

async function surveyStrangers(target: Target, views: readonly RingView[]): Promise<StrangerSurvey[]> {
  const known = new Set(target.driver.nodes.map(({ rpcAddress }) => rpcAddress));
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

async function lookForTools(tools: ToolResolver, versions: readonly string[], work: Work): Promise<ToolSurvey[]> {
  const wanted = versions.flatMap((version) => HOP_TOOLS.map((tool) => ({ tool, version })));
  return Promise.all(
    wanted.map(async ({ tool, version }) => ({
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
