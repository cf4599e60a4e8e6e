import { Document } from 'yaml';
import type { Connection } from '../../core/input/input.js';
import { HIDDEN } from '../../core/pods/fill-template.js';
import { PORTS } from '../../core/input/pod-parts.js';
import type { StorePart } from '../../core/stores.js';
import type { FoundPlace } from '../process/configuration-facts.js';
import { comment, TO_FILL_IN } from './commented.js';
import type { FoundPodTarget, FoundWorkload } from './find-release.js';
import { changeSection } from './release-change.js';
import { passwordOf, storeSection } from './store-section.js';
import type { TargetFile } from './target-file.js';

/** What a cluster in Kubernetes cannot tell of itself. */
export interface ReleaseAnswers {
  readonly name: string;
  /** By the Service before its frontends when left out. */
  readonly connection?: Connection | undefined;
  readonly backupDir: string;
}

const METRICS_PORT = 9090;

/** Says what was found of a release as a target file, with a comment wherever somebody has to know or to decide something. */
export function releaseFile(found: FoundPodTarget, { name, connection, backupDir }: ReleaseAnswers): TargetFile {
  const toDo: string[] = [];
  const { release, configuration, workloads, address = `${TO_FILL_IN}:${PORTS.frontend}` } = found;
  const version = versionOf(workloads, toDo);
  const change = changeSection(found);
  const parts = (['default', 'visibility', 'secondaryVisibility'] as const).filter(
    (part) => part !== 'secondaryVisibility' || configuration.stores[part] !== undefined,
  );
  const document = new Document({
    name,
    connection: connection ?? { address },
    ...(version === undefined ? {} : { version }),
    stores: Object.fromEntries(parts.map((part) => [part, storeOf(part, configuration.stores[part], name)])),
    driver: { ...driverOf(found), change: change.value },
    backupDir,
  });
  const say = (path: readonly string[], text: string) => comment(document, path, text);
  const shards = configuration.shards === undefined ? '' : `, ${configuration.shards} shards`;
  document.commentBefore = ` Release ${release.name} in namespace ${release.namespace}${shards}. Every field: docs/reference.md.\n yaml-language-server: $schema=./target.schema.json`;
  say(
    ['connection'],
    'How clients reach it from where the worker runs. Within the cluster: the Service before the frontends.',
  );
  if (connection === undefined && found.address === undefined) toDo.push('connection.address: how clients reach it');
  if (configuration.tls.frontend && connection === undefined) toDo.push('connection.tls: its frontends speak TLS');
  if (configuration.tls.internode) toDo.push('driver.internodeTls: its roles speak TLS to each other');
  say(
    ['version'],
    'What it ran when this file was written: a roll-out refuses to start when it runs another. May be left out.',
  );
  say(['stores'], 'Secrets are named, never written here. Who runs the worker sets the variable, or names a file.');
  for (const part of parts) {
    const place = configuration.stores[part];
    if (place !== undefined && !isHidden(place)) continue;
    say(['stores', part], 'Not all of it was found in ConfigMaps. As the configuration of its servers has it.');
    toDo.push(`stores.${part}: where it is, its name and user${place === undefined ? ', and its type' : ''}`);
  }
  toDo.push(
    `set ${passwordOf(name)} for the worker, or name another place of the password, where the database wants one`,
  );
  say(['driver'], driverComment(found));
  if (found.context !== undefined)
    say(
      ['driver', found.kubeconfig === undefined ? 'context' : 'kubeconfig'],
      'By which it was looked at. A worker that runs in this cluster has an account of its own: leave kubeconfig and context out for it.',
    );
  say(['driver', 'change'], change.comment);
  say(['backupDir'], 'Seen by the workers of this target, with room for a dump of each store at every hop.');
  return { text: document.toString({ lineWidth: 0 }), toDo: [...toDo, ...change.toDo] };
}

/** The one version that all pods run. */
function versionOf(workloads: readonly FoundWorkload[], toDo: string[]): string | undefined {
  const versions = [...new Set(workloads.flatMap((one) => one.versions))];
  const untold = workloads.filter((one) => one.versions.length === 0);
  if (untold.length > 0) {
    const [{ image, name } = { image: '', name: '' }] = untold;
    toDo.push(`driver.images: the image ${image} of ${name} does not tell its version; say how to read it`);
  }
  if (versions.length > 1) toDo.push(`its pods run ${versions.join(' and ')}: let that roll end before a roll-out`);
  return versions.length === 1 && untold.length === 0 ? versions[0] : undefined;
}

function driverOf({ release, kubeconfig, context, workloads, configuration }: FoundPodTarget) {
  const { metricsAddress } = configuration;
  const metricsPort =
    metricsAddress === undefined || metricsAddress === null
      ? metricsAddress
      : Number(/:(\d+)$/.exec(metricsAddress)?.[1] ?? METRICS_PORT);
  const rpcPorts = Object.fromEntries(
    workloads.flatMap(({ role }) => {
      const port = configuration.rpcPorts[role];
      return port === undefined || port === PORTS[role] ? [] : [[role, port]];
    }),
  );
  const containers = new Set(
    workloads.map(({ role, container }) => (container === `temporal-${role}` ? '' : container)),
  );
  const [container = ''] = containers.size === 1 ? containers : [];
  return {
    ...{ type: 'kubernetes', namespace: release.namespace },
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    ...(release.by === 'chart'
      ? { release: release.name }
      : { workloads: Object.fromEntries(workloads.map(({ role, name }) => [role, name])) }),
    ...(container === '' ? {} : { container }),
    ...(Object.keys(rpcPorts).length === 0 ? {} : { rpcPorts }),
    ...(metricsPort === undefined || metricsPort === METRICS_PORT ? {} : { metricsPort }),
  };
}

function driverComment({ workloads, configuration }: FoundPodTarget): string {
  const pods = workloads.map(({ role, name, pods: count }) => `${role} ${name} (${count})`).join(', ');
  const dynamic = configuration.dynamic.map((place) => `\n Dynamic configuration: ${place}`).join('');
  return `Its workloads, and how many pods each has: ${pods}.${dynamic}`;
}

/** Of a store that was not seen the type has to be said too: that of most stands there. */
function storeOf(part: StorePart, found: FoundPlace | undefined, name: string): unknown {
  const named = found !== undefined && 'plugin' in found ? (found.plugin ?? USUAL) : USUAL;
  return withoutHidden(storeSection(part, { found, named, name }));
}

const USUAL = 'postgres12';

/** What lies in a Secret was not looked at, and is for a person to fill in. */
function withoutHidden(value: unknown): unknown {
  if (typeof value === 'string') return value.includes(HIDDEN) ? TO_FILL_IN : value;
  if (Array.isArray(value)) return value.map(withoutHidden);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutHidden(inner)]));
}

function isHidden(place: FoundPlace): boolean {
  return JSON.stringify(place).includes(HIDDEN);
}
