import type { z } from 'zod';
import { STORE_PARTS } from '../stores.js';
import { isServerVersion, minorOf } from '../version.js';

/**
 * Checks between fields. They run whether or not other fields are right, so that every mistake is told at once; so they
 * take nothing for granted about the shape, and leave what has no right shape to the check of its own field.
 */

/** Whether these checks can look at a value at all. */
export const anyShape = {
  when: ({ value }: { readonly value: unknown }) => typeof value === 'object' && value !== null,
};

/** The value below `path`, or undefined where the way there is broken. */
function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Readonly<Record<string, unknown>>)[key]
        : undefined,
    value,
  );
}

/** Pins are patches of the minor that they are for, and do not contradict `to`. */
export function reportPinProblems(input: unknown, context: z.RefinementCtx): void {
  const pins = at(input, 'pins');
  if (typeof pins !== 'object' || pins === null) return;
  const to = at(input, 'to');
  for (const [minor, version] of Object.entries(pins)) {
    if (typeof version !== 'string' || !isServerVersion(version)) continue;
    const report = (message: string): void => context.addIssue({ code: 'custom', path: ['pins', minor], message });
    if (minorOf(version) !== minor) report(`${version} is no patch of ${minor}`);
    else if (typeof to === 'string' && isServerVersion(to) && minorOf(to) === minor && to !== version) {
      report(`pins ${version}, but "to" asks for ${to}`);
    }
  }
}

/**
 * Pods of a workload are replaced by its controller, which is held after each of them; images of all services of Compose stand in
 * one file, which is written for each of them.
 */
export function reportBatchProblems(input: unknown, context: z.RefinementCtx): void {
  const batch = at(input, 'policy', 'roll', 'batch');
  if (typeof batch !== 'number' || batch <= 1) return;
  for (const [type, what] of Object.entries(ONE_BY_ONE)) {
    const environments = ['staging', 'live'].filter((one) => at(input, one, 'driver', 'type') === type);
    if (environments.length === 0) continue;
    const message = `${batch} at a time cannot be had of the driver ${type} (${environments.join(', ')}): it replaces ${what} one by one; leave it out`;
    context.addIssue({ code: 'custom', path: ['policy', 'roll', 'batch'], message });
  }
}

const ONE_BY_ONE = { kubernetes: 'pods', compose: 'containers' } as const;

/** Staging and live are two clusters. */
export function reportSameCluster(input: unknown, context: z.RefinementCtx): void {
  const both = (...path: readonly string[]): boolean => {
    const value = at(input, 'staging', ...path);
    return value !== undefined && value === at(input, 'live', ...path);
  };
  const report = (path: readonly string[], message: string): void =>
    context.addIssue({ code: 'custom', path: ['staging', ...path], message });
  if (both('name')) report(['name'], 'is the name of live too');
  // The same address seen from two networks may well be two hosts: 127.0.0.1 is everywhere.
  if (at(input, 'staging', 'taskQueue') !== at(input, 'live', 'taskQueue')) return;
  if (both('connection', 'address')) report(['connection', 'address'], 'is the address of live too');
  const sameFile = at(input, 'staging', 'connection', 'configFile') === at(input, 'live', 'connection', 'configFile');
  if (both('connection', 'profile') && sameFile) report(['connection', 'profile'], 'is the profile of live too');
  for (const ours of STORE_PARTS) {
    for (const theirs of STORE_PARTS) {
      const [a, b] = [at(input, 'staging', 'stores', ours), at(input, 'live', 'stores', theirs)];
      if (sameDatabase(a, b))
        report(['stores', ours, nameKeyOf(a)], `is the database of the ${theirs} store of live too`);
    }
  }
}

/** The stores of a target are different databases: each has a table `schema_version` of its own. */
export function reportSameStore(stores: unknown, context: z.RefinementCtx): void {
  for (const [index, part] of STORE_PARTS.entries()) {
    const same = STORE_PARTS.slice(0, index).find((other) => sameDatabase(at(stores, other), at(stores, part)));
    if (same === undefined) continue;
    const message = `is the database of the ${same} store too; each store has its own`;
    context.addIssue({ code: 'custom', path: [part, nameKeyOf(at(stores, part))], message });
  }
}

/** Keys that together say where a store is, by its type; `hosts` are the same where one of them is. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  postgresql: ['host', 'port', 'database'],
  mysql: ['host', 'port', 'database'],
  cassandra: ['hosts', 'port', 'keyspace'],
  elasticsearch: ['url', 'index'],
};

/** The field that names the database within its server. */
function nameKeyOf(store: unknown): string {
  return PLACES[String(at(store, 'type'))]?.at(-1) ?? 'database';
}

function sameDatabase(a: unknown, b: unknown): boolean {
  const type = at(a, 'type');
  if (typeof type !== 'string' || type !== at(b, 'type')) return false;
  const keys = PLACES[type] ?? [];
  return keys.length > 0 && keys.every((key) => equal(at(a, key), at(b, key)));
}

function equal(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.some((one) => b.includes(one));
  return a !== undefined && a === b;
}

/** What no two nodes of a target share. A process is known by its folder; units and commands may well share one. */
const OWN = ['name', 'rpcAddress', 'metricsAddress'] as const;
const NEEDED = ['frontend', 'history', 'matching', 'worker'] as const;

/** Nodes do not share what each needs for itself, and every role that a cluster has is there. */
export function reportNodeProblems(nodes: unknown, context: z.RefinementCtx): void {
  if (!Array.isArray(nodes)) return;
  const all: readonly unknown[] = nodes;
  for (const field of OWN) reportShared(all, { field, context });
  const roles = all.map((node) => at(node, 'role'));
  // A role that is missing or misspelt is told already, and may be the very one.
  if (all.length === 0 || roles.some((role) => !KNOWN.includes(role))) return;
  for (const role of NEEDED) {
    if (roles.includes(role)) continue;
    const message = `no node has the role ${role}; name every server process of the cluster, or some would stay behind`;
    context.addIssue({ code: 'custom', path: [], message });
  }
}

/** Services are named once, every role that a cluster has is there, and one port is not that of several roles. */
export function reportServiceProblems(services: unknown, context: z.RefinementCtx): void {
  if (!Array.isArray(services)) return;
  const all: readonly unknown[] = services;
  reportShared(all, { field: 'service', context });
  const rolesOf = (service: unknown): readonly unknown[] => {
    const roles = at(service, 'roles');
    return Array.isArray(roles) ? roles : [];
  };
  for (const [index, service] of all.entries()) {
    if (rolesOf(service).length < 2 || at(service, 'rpcPort') === undefined) continue;
    const message = 'one port cannot be that of several roles; leave it out, or give each role a service of its own';
    context.addIssue({ code: 'custom', path: [index, 'rpcPort'], message });
  }
  const roles = all.flatMap(rolesOf);
  if (roles.length === 0 || roles.some((role) => !KNOWN.includes(role))) return;
  for (const role of NEEDED) {
    if (roles.includes(role)) continue;
    const message = `no service runs the role ${role}; name every service of the cluster, or some would stay behind`;
    context.addIssue({ code: 'custom', path: [], message });
  }
}

/** A process is known by its folder of configuration: two with the same could not be told apart. */
export function reportFolderProblems(nodes: unknown, context: z.RefinementCtx): void {
  if (Array.isArray(nodes)) reportShared(nodes, { field: 'configDir', context });
}

/** A unit of a host is one node. */
export function reportUnitProblems(nodes: unknown, context: z.RefinementCtx): void {
  if (Array.isArray(nodes)) reportShared(nodes, { field: 'unit', within: 'host', context });
}

interface SharedField {
  readonly field: string;
  /** Field in which two nodes have to agree as well, to share the first. */
  readonly within?: string;
  readonly context: z.RefinementCtx;
}

function reportShared(nodes: readonly unknown[], { field, within, context }: SharedField): void {
  const firstWith = new Map<string, number>();
  for (const [index, node] of nodes.entries()) {
    const value = at(node, field);
    if (typeof value !== 'string') continue;
    const key = JSON.stringify([value, within === undefined ? undefined : at(node, within)]);
    const first = firstWith.get(key);
    if (first === undefined) {
      firstWith.set(key, index);
      continue;
    }
    const message = `"${value}" is also that of node ${first}; each node needs its own`;
    context.addIssue({ code: 'custom', path: [index, field], message });
  }
}

const KNOWN: readonly unknown[] = [...NEEDED, 'internal-frontend'];

/** Six kinds of calls take turns, once with retries and once without: each is then made every 0.6 s. */
const LEAST_PROBES = 5;

/** Fields of a load that only make sense together, or apart. */
export function reportLoadProblems(load: unknown, context: z.RefinementCtx): void {
  const report = (path: readonly (string | number)[], message: string): void =>
    context.addIssue({ code: 'custom', path: [...path], message });
  const every = at(load, 'scheduleEvery');
  if (typeof every === 'number' && (every < 1_000 || every % 1_000 !== 0)) {
    report(['scheduleEvery'], `${every} ms; a schedule ticks at whole seconds, at most once a second`);
  }
  const probes = at(load, 'probesPerSecond');
  if (typeof probes === 'number' && probes > 0 && probes < LEAST_PROBES) {
    const few = `${probes} a second are too few to show a gap of one second`;
    report(['probesPerSecond'], `${few}; give at least ${LEAST_PROBES}, or 0 for no probe`);
  }
  const mix = at(load, 'mix');
  const own = at(load, 'own');
  const some = Array.isArray(own) && own.length > 0;
  if (typeof mix === 'object' && mix !== null && Object.keys(mix).length === 0 && !some) {
    report(['mix'], 'names nothing to start; give at least one weight, or workflows of your own');
  }
  if (at(load, 'copyMixOf') !== undefined && !some) {
    report(['copyMixOf'], 'needs `own`: how the workflow types found there are started');
  }
  const more = at(load, 'moreNamespaces');
  if (!Array.isArray(more)) return;
  const all: readonly unknown[] = [at(load, 'namespace'), ...(more as readonly unknown[])];
  for (const [index, name] of all.entries()) {
    if (index > all.indexOf(name)) report(['moreNamespaces', index - 1], `"${String(name)}" is named twice`);
  }
}
