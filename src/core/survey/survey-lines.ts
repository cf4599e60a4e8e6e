import type { Finding } from '../finding.js';
import { valueOf } from './seen.js';
import type { Survey } from './survey.js';

/** What a survey saw, in a few words for a status: processes, shards, schemas. */
export function surveyLines({ cluster, stores }: Survey): string[] {
  const serving = cluster.processes.filter(({ health }) => valueOf(health) === 'SERVING').length;
  const versions = new Set(valueOf(cluster.nodes)?.flatMap(({ version }) => version ?? []));
  const [frontend] = cluster.frontends.flatMap(({ info }) => valueOf(info) ?? []);
  const schemas = Object.entries(stores).map(
    ([part, store]) => `${part} ${(store && valueOf(store.schemaVersion)) ?? 'unknown'}`,
  );
  const database = stores.default && valueOf(stores.default.database);
  return [
    `${cluster.processes.length} processes on ${[...versions].join(' and ')}, ${serving} say SERVING`,
    ...(frontend === undefined ? [] : [`${frontend.historyShardCount} shards`]),
    `schema ${schemas.join(', ')}${database === undefined ? '' : ` on ${database.product} ${database.version}`}`,
  ];
}

/** The findings to look at, in a few words; nothing when there are none. */
export function lookAtLines(findings: readonly Finding[]): string[] {
  const ids = [...new Set(findings.filter(({ severity }) => severity === 'warn').map(({ id }) => id))];
  return ids.length === 0 ? [] : [`to look at: ${ids.join(', ')}`];
}
