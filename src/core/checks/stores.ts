import type { ClusterSurvey } from '../survey/cluster-survey.js';
import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';
import { ofPart, partsIn, type StorePart } from '../stores.js';
import { answersOf } from './who-runs.js';
import { partName } from './about-store.js';
import { groupBy, listed } from './words.js';

/** The input, the cluster and the configuration of each process name the same stores. */
export const checkStoreNames: Check = ({ cluster, target }) =>
  partsIn(cluster.input.stores).flatMap((part) => {
    const differing = pluginOfCluster(cluster, target, part);
    // The input is then wrong for all processes alike; to say it of each would say no more.
    return differing.length > 0 ? differing : [...pluginOfNodes(cluster, part), ...databaseOfNodes(cluster, part)];
  });

function pluginOfCluster(cluster: ClusterSurvey, target: string, part: StorePart): Finding[] {
  const { plugin } = ofPart(cluster.input.stores, part);
  // The first of two visibility stores is the one that is read; an old server says nothing.
  const said = answersOf(cluster).map(({ persistenceStore, visibilityStore }) => {
    const [first = '', second = ''] = visibilityStore.split(',');
    return { default: persistenceStore, visibility: first, secondaryVisibility: second }[part];
  });
  const others = said.filter((name) => name !== '' && name !== plugin);
  return [...new Set(others)].map((name) => ({
    id: 'store-plugin-differs',
    severity: 'block',
    found: `the ${partName(part)} store of ${target} is ${name}, but the input says ${plugin}`,
    expected: 'the plugin that the cluster runs with',
    action: `Correct "stores.${part}.plugin" of the input`,
    source: 'GetClusterInfo of each frontend',
  }));
}

function pluginOfNodes(cluster: ClusterSurvey, part: StorePart): Finding[] {
  const { plugin } = ofPart(cluster.input.stores, part);
  return [...differing(cluster, part, 'plugin', plugin)].map(([name, nodes]) => ({
    id: 'store-plugin-configured',
    severity: 'block',
    found: `the configuration of ${listed(nodes)} names the plugin ${name} for the ${partName(part)} store, and the cluster runs with ${plugin}`,
    expected: plugin,
    action: 'Correct it before the process is started anew, which an upgrade does',
    source: 'configuration of each process',
  }));
}

function databaseOfNodes(cluster: ClusterSurvey, part: StorePart): Finding[] {
  const { database } = ofPart(cluster.input.stores, part);
  return [...differing(cluster, part, 'database', database)].map(([name, nodes]) => ({
    id: 'store-database-differs',
    severity: 'block',
    found: `${listed(nodes)} ${nodes.length === 1 ? 'has' : 'have'} the ${partName(part)} store in database "${name}", but the input says "${database}"`,
    expected: 'the database that the servers use, as its schema is what an upgrade changes',
    action: `Correct "stores.${part}.database" of the input, or the configuration`,
    source: 'configuration of each process',
  }));
}

function differing(cluster: ClusterSurvey, part: StorePart, field: 'plugin' | 'database', wanted: string) {
  return groupBy(
    cluster.processes,
    ({ configuration }) => {
      const value = 'seen' in configuration ? configuration.seen.stores[part]?.[field] : undefined;
      return value === wanted ? undefined : value;
    },
    ({ name }) => name,
  );
}

/** A second visibility store is known to the input: no server ever checks its schema. */
export const checkSecondVisibility: Check = ({ cluster }, { stores, hop }) => {
  if (stores.secondaryVisibility !== undefined) return [];
  const byCluster = answersOf(cluster).flatMap(({ visibilityStore }) => visibilityStore.split(',').slice(1));
  const byNodes = cluster.processes.flatMap(({ configuration }) => {
    const second = 'seen' in configuration ? configuration.seen.stores.secondaryVisibility : undefined;
    return second === undefined ? [] : [second.plugin ?? 'of an unknown kind'];
  });
  const found = [...new Set([...byCluster, ...byNodes])];
  if (found.length === 0) return [];
  return [
    {
      id: 'secondary-visibility-unnamed',
      severity: hop === undefined ? 'warn' : 'block',
      found: `the cluster writes a second visibility store (${listed(found)}) that the input does not name`,
      expected: 'every store named, as a server never checks the schema of this one',
      action: 'Name it as "stores.secondaryVisibility" of the input, or take it out of the configuration',
      source: 'GetClusterInfo, and configuration of each process',
    },
  ];
};
