import { Document } from 'yaml';
import type { Connection } from '../../core/input/input.js';
import type { StorePart } from '../../core/stores.js';
import { comment, TO_FILL_IN } from './commented.js';
import type { FoundNode, FoundProcess, FoundTarget } from './find-target.js';
import { passwordOf, storeSection } from './store-section.js';

/** What the cluster cannot tell of itself. */
export interface TargetAnswers {
  readonly name: string;
  readonly connection: Connection;
  readonly backupDir: string;
}

/** A file that describes a target, and what a person has to fill in or look at. */
export interface TargetFile {
  readonly text: string;
  readonly toDo: readonly string[];
}

/** Says what was found as a target file, with a comment wherever somebody has to know or to decide something. */
export function targetFile(found: FoundTarget, { name, connection, backupDir }: TargetAnswers): TargetFile {
  const toDo: string[] = [];
  const { info, nodes } = found;
  const frontends = nodes.filter(({ role }) => role === 'frontend').map(({ rpcAddress }) => rpcAddress);
  const driver = driverOf(nodes, toDo);
  const document = new Document({
    name,
    connection,
    frontends,
    version: info.serverVersion,
    stores: {
      default: storeOf('default', found, name),
      visibility: storeOf('visibility', found, name),
      ...(found.stores.secondaryVisibility === undefined
        ? {}
        : { secondaryVisibility: storeOf('secondaryVisibility', found, name) }),
    },
    driver: driver.value,
    backupDir,
  });
  const say = (path: readonly string[], text: string) => comment(document, path, text);
  document.commentBefore = ` Cluster ${info.clusterName}: ${info.serverVersion}, ${info.historyShardCount} shards. Every field: docs/reference.md.\n yaml-language-server: $schema=./target.schema.json`;
  say(['connection'], 'How clients reach it. Behind a balancer: the address of the balancer.');
  say(['frontends'], 'Each frontend by itself, for its health and its view of the rings.');
  say(
    ['version'],
    'What it ran when this file was written: a roll-out refuses to start when it runs another. May be left out.',
  );
  say(['stores'], 'Secrets are named, never written here. Who runs the worker sets the variable, or names a file.');
  for (const part of ['default', 'visibility'] as const) {
    if (found.stores[part] !== undefined) continue;
    say(
      ['stores', part],
      'Not found: no process on this host whose configuration could be read. As its configuration has it.',
    );
    toDo.push(`stores.${part}: where it is, its name and user`);
  }
  toDo.push(
    `set ${passwordOf(name)} for the worker, or name another place of the password, where the database wants one`,
  );
  say(['driver'], driver.comment);
  for (const [index, node] of nodes.entries()) {
    if (node.process === undefined)
      say(['driver', 'nodes', String(index)], `${node.name}: not on this host; its files and metrics were not seen.`);
  }
  say(['backupDir'], 'Seen by the workers of this target, with room for a dump of each store at every hop.');
  return { text: document.toString({ lineWidth: 0 }), toDo };
}

interface DescribedDriver {
  readonly value: object;
  readonly comment: string;
}

function driverOf(nodes: readonly FoundNode[], toDo: string[]): DescribedDriver {
  const own = nodes.flatMap((node) => (node.process === undefined ? [] : [{ ...node, process: node.process }]));
  const units = new Set(own.flatMap(({ process }) => process.unit ?? []));
  if (own.length === nodes.length && units.size === nodes.length) return systemdDriver(own, toDo);
  if (own.length === nodes.length && own.every(({ process }) => process.logFile !== undefined))
    return processDriver(own);
  return commandDriver(nodes, toDo);
}

type OwnNode = FoundNode & { readonly process: FoundProcess };

function processDriver(nodes: readonly OwnNode[]): DescribedDriver {
  const { allowNoAuth = false } = nodes[0]?.process ?? {};
  const value = {
    type: 'process',
    ...(allowNoAuth ? { allowNoAuth } : {}),
    nodes: nodes.map((node) => ({ ...common(node), ...readable(node.process), logFile: node.process.logFile })),
  };
  return { value, comment: 'Plain processes of this host: the worker stops and starts them itself, as their user.' };
}

function systemdDriver(nodes: readonly OwnNode[], toDo: string[]): DescribedDriver {
  const program = programOfEach(nodes);
  if (program === undefined) toDo.push('driver.versionSwitch.program: where the server of each version will be');
  const value = {
    type: 'systemd',
    versionSwitch: { by: 'dropIn', program: program ?? `/${TO_FILL_IN}/{version}/temporal-server` },
    nodes: nodes.map((node) => ({ ...common(node), unit: node.process.unit, ...readable(node.process) })),
  };
  return {
    value,
    comment:
      'Units of this host. Programs of every version have to be at versionSwitch.program; see docs/operators.md.',
  };
}

/** The program with its version taken out of the path; undefined where the path does not tell one from the other. */
function programOfEach(nodes: readonly OwnNode[]): string | undefined {
  const paths = new Set(nodes.map(({ process }) => process.program.replace(/\d+\.\d+\.\d+/, '{version}')));
  const [path] = paths;
  return paths.size === 1 && path?.includes('{version}') === true ? path : undefined;
}

function commandDriver(nodes: readonly FoundNode[], toDo: string[]): DescribedDriver {
  toDo.push('driver: how servers are stopped and started on their hosts');
  const run = (what: string) => [TO_FILL_IN, what, '{host}', '{role}'];
  const value = {
    type: 'command',
    commands: { status: run('status'), stop: run('stop'), start: [...run('start'), '{version}'] },
    nodes: nodes.map((node) => ({ ...common(node), ...(node.process === undefined ? {} : readable(node.process)) })),
  };
  return {
    value,
    comment:
      'Not all of them are units or plain processes of this host. Units on other hosts: type systemd, with a host for each node. Else commands of yours, as here.',
  };
}

function common({ name, role, rpcAddress, process }: FoundNode) {
  const metricsAddress = process?.metricsAddress?.replace(/^(0\.0\.0\.0|\[::\]):/, `${hostOf(rpcAddress)}:`);
  return { name, role, rpcAddress, ...(metricsAddress === undefined ? {} : { metricsAddress }) };
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}

function readable({ configDir, configEnv }: FoundProcess) {
  return { configDir, ...(configEnv === 'development' ? {} : { configEnv }) };
}

function storeOf(part: StorePart, { stores, info }: FoundTarget, name: string): object {
  const [visibility = '', second = ''] = info.visibilityStore.split(',');
  const named = { default: info.persistenceStore, visibility, secondaryVisibility: second }[part];
  return storeSection(part, { found: stores[part], named, name });
}
