import type { ClusterFacts, NodeState, StoreFacts } from '../../core/cluster.js';
import { messageOf, PreconditionError } from '../../core/errors.js';
import { DRIVER_WORDS } from '../../core/input/driver-words.js';
import { pluginOf, type Target } from '../../core/input/input.js';
import { mapStores, mapStoresAsync } from '../../core/stores.js';
import { readSettings } from '../read-settings.js';
import { createDriver, frontendsOf, withTarget } from '../open-target.js';
import { listNamespaces, readClusterInfo, type ClusterInfo } from './target-cluster.js';
import { withTarget as withFrontend } from './target-connection.js';
import type { ToolResolver } from '../tools/tools.js';

/**
 * Everything that is known of a target without changing it: what each frontend says, what the databases say, and which
 * processes run. @throws PreconditionError with all that is wrong, not just the first
 */
export async function inspectTarget(target: Target, tools: ToolResolver): Promise<ClusterFacts> {
  const problems: string[] = [];
  const driver = createDriver(target, tools);
  const note = (error: unknown): undefined => {
    problems.push(messageOf(error));
    return undefined;
  };
  const [cluster, listed, stores] = await Promise.all([
    withFrontend(target.connection, async (frontend) => ({
      info: await readClusterInfo(frontend),
      namespaces: await listNamespaces(frontend),
    })).catch(note),
    driver
      .listNodes()
      .catch(note)
      .then(async (nodes) => ({ nodes, frontends: await readFrontends(target, nodes ?? [], note) })),
    withTarget(target, tools, ({ stores: opened }) => mapStoresAsync(opened, (store) => store.describe().catch(note))),
  ]);
  const { frontends } = listed;
  if (cluster !== undefined) problems.push(...frontendProblems(target, cluster.info, frontends));
  if (listed.nodes !== undefined) problems.push(...nodeProblems(target, listed.nodes));
  if (cluster === undefined || problems.length > 0) {
    throw new PreconditionError(unique(problems).join('\n'), { target: target.name });
  }
  const { info, namespaces } = cluster;
  const nodes = found(listed.nodes);
  return {
    clusterId: info.clusterId,
    clusterName: info.clusterName,
    historyShardCount: info.historyShardCount,
    persistenceStore: info.persistenceStore,
    visibilityStore: info.visibilityStore,
    frontends: frontends.map(({ address, info: { serverVersion } }) => ({ address, version: serverVersion })),
    namespaces: namespaces.map(({ name }) => name),
    nodes,
    stores: mapStores(stores, (facts) => found<StoreFacts>(facts)),
    dynamicConfig: await readSettings(driver, target, nodes),
  };
}

interface Frontend {
  readonly address: string;
  readonly info: ClusterInfo;
}

async function readFrontends(
  target: Target,
  nodes: readonly NodeState[],
  note: (error: unknown) => undefined,
): Promise<Frontend[]> {
  const answers = await Promise.all(
    frontendsOf(target, nodes).map((address) =>
      withFrontend(
        target.connection,
        async (frontend) => ({ address, info: await readClusterInfo(frontend) }),
        address,
      ).catch(note),
    ),
  );
  return answers.filter((answer) => answer !== undefined);
}

function frontendProblems({ name, stores }: Target, info: ClusterInfo, frontends: readonly Frontend[]): string[] {
  const problems: string[] = [];
  for (const { address, info: other } of frontends) {
    if (other.clusterId !== info.clusterId) {
      problems.push(
        `frontend ${address} of ${name} belongs to another cluster (${other.clusterId}, not ${info.clusterId})`,
      );
    }
  }
  // The names are those of the plugins; two joined by a comma are two stores.
  const { secondaryVisibility } = stores;
  const visibility = [stores.visibility, ...(secondaryVisibility === undefined ? [] : [secondaryVisibility])];
  for (const [kind, said, wanted] of [
    ['default', info.persistenceStore, pluginOf(stores.default)],
    ['visibility', info.visibilityStore, visibility.map(pluginOf).join(',')],
  ] as const) {
    if (said !== '' && said !== wanted) {
      problems.push(`the ${kind} store of ${name} is ${said}, but the input says ${wanted}`);
    }
  }
  return problems;
}

function nodeProblems({ name, driver }: Target, nodes: readonly NodeState[]): string[] {
  const { down, correct } = DRIVER_WORDS[driver.type];
  return nodes
    .filter(({ running }) => !running)
    .map(
      (node) => `node ${node.name} (${node.role}) of ${name} does not run: ${down}; start it, or correct ${correct}`,
    );
}

/** Everything that could not be found has left a problem, and problems have been thrown. */
function found<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a fact is missing without a problem that says why');
  return value;
}

function unique(lines: readonly string[]): string[] {
  return [...new Set(lines)];
}
