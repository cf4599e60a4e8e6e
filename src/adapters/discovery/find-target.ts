import { readlink, stat } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { splitAddress } from '../../core/address.js';
import { type Connection, Role } from '../../core/input/input.js';
import { messageOf } from '../../core/errors.js';
import type { StorePart } from '../../core/stores.js';
import type { Seen } from '../../core/survey/seen.js';
import { type ClusterInfo, readClusterInfo } from '../cluster/target-cluster.js';
import { withTarget } from '../cluster/target-connection.js';
import { look } from '../cluster/look.js';
import { listRings } from '../cluster/rings.js';
import { type FoundPlace, type PlaceFacts, placeFacts } from '../process/configuration-facts.js';
import { listensOn } from '../process/linux-process.js';
import { readConfigurationFiles } from '../process/read-configuration.js';
import { readSupervision } from '../process/read-supervision.js';
import { flagValues, listServerProcesses, type ServerProcess } from '../process/server-process.js';

/** A member of a ring, and the process of this host that it is, where it is one. */
export interface FoundNode {
  readonly name: string;
  readonly role: Role;
  /** host:port, as the ring names it. */
  readonly rpcAddress: string;
  readonly process?: FoundProcess | undefined;
}

export interface FoundProcess {
  readonly program: string;
  readonly configDir: string;
  readonly configEnv: string;
  /** The systemd service that it is the process of. */
  readonly unit?: string | undefined;
  /** The file that its output goes to. */
  readonly logFile?: string | undefined;
  readonly metricsAddress?: string | undefined;
  readonly allowNoAuth: boolean;
}

/** What can be seen of a cluster from here. */
export interface FoundTarget {
  readonly info: ClusterInfo;
  /** In the order of roles, then of addresses. */
  readonly nodes: readonly FoundNode[];
  readonly stores: PlaceFacts['stores'];
  /** What could not be seen, and why. */
  readonly unseen: readonly string[];
}

/**
 * Asks a frontend who is in its rings, and looks for those processes on this host. Changes nothing.
 * @throws PreconditionError when the frontend cannot be asked
 */
export async function findTarget(connection: Connection): Promise<FoundTarget> {
  const info = await withTarget(connection, (frontend) => readClusterInfo(frontend));
  const rings = await listRings(connection);
  const unseen: string[] = [];
  const processes = await listServerProcesses().catch((error: unknown) => {
    unseen.push(messageOf(error));
    return [];
  });
  const stores: Partial<Record<StorePart, FoundPlace>> = {};
  const nodes: FoundNode[] = [];
  for (const role of Role.options) {
    for (const [index, rpcAddress] of (rings[role] ?? []).entries()) {
      const own = await processOf(role, rpcAddress, processes);
      const places = own && (await readPlaces(own, role));
      if (places !== undefined && 'unseen' in places) unseen.push(places.unseen);
      const seen = places !== undefined && 'seen' in places ? places.seen : undefined;
      Object.assign(stores, { ...seen?.stores, ...stores });
      const found = own && (await describe(own, seen));
      nodes.push({
        name: `${role}-${index + 1}`,
        role,
        rpcAddress,
        ...(found === undefined ? {} : { process: found }),
      });
    }
  }
  return { info, nodes, stores, unseen };
}

/** The server of this host that listens where the ring says that this member is. */
async function processOf(
  role: Role,
  rpcAddress: string,
  processes: readonly ServerProcess[],
): Promise<ServerProcess | undefined> {
  const { host, port } = splitAddress(rpcAddress);
  if (!isOwnAddress(host)) return undefined;
  const ofRole = processes.filter(({ services }) => services.includes(role));
  for (const one of ofRole) if (await listensOn(one.pid, port)) return one;
  // A worker of 1.30 or before has no gRPC port: the ring has one of its configuration, where nobody listens.
  for (const one of ofRole) {
    const places = await readPlaces(one, role);
    if ('seen' in places && places.seen.grpcPort === port) return one;
  }
  return undefined;
}

function isOwnAddress(host: string): boolean {
  if (host === 'localhost' || host === hostname() || host.startsWith('127.')) return true;
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === host));
}

function readPlaces(one: ServerProcess, role: Role): Promise<Seen<PlaceFacts>> {
  const { configDir } = one;
  return look(async () => placeFacts(await readConfigurationFiles({ configDir, configEnv: envOf(one) }), role));
}

async function describe(one: ServerProcess, places: PlaceFacts | undefined): Promise<FoundProcess> {
  const [program, unit, logFile] = await Promise.all([
    readlink(`/proc/${one.pid}/exe`).catch(() => one.argv[0] ?? ''),
    unitOf(one.pid),
    logFileOf(one.pid),
  ]);
  return {
    program,
    configDir: one.configDir,
    configEnv: envOf(one),
    unit,
    logFile,
    metricsAddress: places?.metricsAddress,
    allowNoAuth: one.argv.includes('--allow-no-auth'),
  };
}

/** `development` is what the server takes without a flag (temporal/server.go, cmd/server/main.go). */
function envOf({ argv }: ServerProcess): string {
  return flagValues(argv, ['env', 'e']).at(-1) ?? 'development';
}

/** The unit that would start it again; none where that is not known. */
async function unitOf(pid: number): Promise<string | undefined> {
  const supervisors = (await readSupervision([pid])).get(pid);
  if (supervisors === undefined || 'unseen' in supervisors) return undefined;
  return supervisors.seen.find(({ kind }) => kind === 'systemd unit')?.name;
}

async function logFileOf(pid: number): Promise<string | undefined> {
  const file = await readlink(`/proc/${pid}/fd/1`).catch(() => undefined);
  if (file?.startsWith('/') !== true) return undefined;
  const kind = await stat(file).catch(() => undefined);
  return kind?.isFile() === true ? file : undefined;
}
