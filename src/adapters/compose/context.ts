import type { NodeState } from '../../core/cluster.js';
import { PreconditionError } from '../../core/errors.js';
import { type ComposeDriver, type ComposeService, overrideFileOf } from '../../core/input/input.js';
import { PORTS } from '../../core/input/pod-parts.js';
import { versionOfImage } from '../../core/pods/images.js';
import { slotsOf } from '../../core/pods/slots.js';
import type { Work } from '../store.js';
import { type Container, readContainers } from './container.js';
import { findDynamicConfig } from './dynamic-config.js';
import { ownProcess } from './own-process.js';
import { type Override, readOverride } from './override-file.js';
import type { Programs } from './programs.js';

/** What every step of the driver has. */
export interface Context {
  readonly input: ComposeDriver;
  readonly programs: Programs;
  readonly work: Work;
  /** Where containers were when they were last seen running, by their id: one that has stopped has no address. */
  readonly places: Map<string, string>;
}

/** One container of a service, or the place of one that is missing. */
export interface Slot {
  readonly service: ComposeService;
  /** A node for each of its roles. */
  readonly nodes: readonly { readonly name: string; readonly role: ComposeService['roles'][number] }[];
  /** Absent while it is between being removed and made anew. */
  readonly container?: Container | undefined;
  readonly version?: string | undefined;
}

/** All that is known of the project now. */
export interface Found {
  readonly override: Override;
  /** Every container of the project, those of other services too. */
  readonly containers: readonly Container[];
  readonly slots: readonly Slot[];
}

/** Looks at every container of the project. @throws PreconditionError when the engine cannot be asked */
export async function lookAtProject(context: Context): Promise<Found> {
  const [override, containers] = await Promise.all([
    readOverride(overrideFileOf(context.input)),
    listContainers(context),
  ]);
  const slots = context.input.services.flatMap((service) =>
    slotsOfService(context.input, service, containers, override),
  );
  return { override, containers, slots };
}

async function listContainers(context: Context, again = true): Promise<Container[]> {
  const { programs, input, work } = context;
  const filter = `label=com.docker.compose.project=${input.project}`;
  const { stdout } = await programs.engine(['ps', '--all', '--quiet', '--no-trunc', '--filter', filter], { work });
  const ids = stdout.split('\n').filter((line) => line !== '');
  if (ids.length === 0) return [];
  try {
    return readContainers((await programs.engine(['container', 'inspect', ...ids], { work })).stdout);
  } catch (error) {
    // One of them has gone in between.
    if (again && error instanceof PreconditionError && /no such container|no container/i.test(error.message)) {
      return listContainers(context, false);
    }
    throw error;
  }
}

function slotsOfService(
  input: ComposeDriver,
  service: ComposeService,
  all: readonly Container[],
  override: Override,
): Slot[] {
  const own = all
    .filter((container) => container.service === service.service)
    .map((container) => ({
      container,
      name: container.name,
      version: versionOfImage(container.image, input.images),
      createdAt: container.createdAt,
      ending: false,
    }));
  const image = override.images[service.service];
  const coming = image === undefined ? undefined : versionOfImage(image, input.images);
  const wanted = Math.max(1, own.length, override.containers[service.service] ?? 0);
  // What is missing comes next: it takes the slot that it will have.
  const missing = Array.from({ length: wanted - own.length }, (_, index) => ({
    container: undefined,
    name: `~${index}`,
    version: coming,
    createdAt: new Date().toISOString(),
    ending: false,
  }));
  const { staying } = slotsOf([...own, ...missing], { wanted });
  return staying.map(({ container, version }, index) => ({
    service,
    nodes: nodeNames(service, wanted === 1 ? undefined : index + 1),
    container,
    version: container === undefined ? undefined : version,
  }));
}

/** The name of its service; with its number where there are several, with its role where there are several of these. */
function nodeNames({ service, roles }: ComposeService, slot: number | undefined): Slot['nodes'] {
  return roles.map((role) => ({
    role,
    name: [service, ...(roles.length === 1 ? [] : [role]), ...(slot === undefined ? [] : [slot])].join('-'),
  }));
}

/** The nodes of a slot as they are. @throws PreconditionError when one runs of which nobody knows the version */
export async function statesOf(context: Context, slot: Slot): Promise<NodeState[]> {
  const { service, nodes, container, version } = slot;
  const { input, places } = context;
  const host = hostOf(input, slot);
  if (container?.running === true && host !== undefined) places.set(container.id, host);
  const place = host ?? (container === undefined ? undefined : places.get(container.id)) ?? service.service;
  const states = nodes.map(({ name, role }) => ({
    name,
    role,
    rpcAddress: `${place}:${service.rpcPort ?? PORTS[role]}`,
    service: service.service,
    running: false,
    ...(service.metricsPort === undefined ? {} : { metricsAddress: `${place}:${service.metricsPort}` }),
  }));
  if (container?.running !== true) return states;
  if (version === undefined) {
    throw new PreconditionError(
      `container ${container.name} has the image ${container.image}, which names no server version; say in "driver.images" how tags tell it (tag: "{version}-ours"), or which is which (versions)`,
      { service: service.service, image: container.image },
    );
  }
  const { id, startedAt } = container;
  const dynamicConfig = await findDynamicConfig(container, service);
  const pid = await ownProcess(container);
  return states.map((state) => ({
    ...state,
    running: true,
    version,
    instance: `${id}@${startedAt}`,
    startedAt,
    dynamicConfig,
    ...(pid === undefined ? {} : { pid }),
  }));
}

function hostOf({ network }: ComposeDriver, { service, container }: Slot): string | undefined {
  if (service.host !== undefined) return service.host;
  if (container === undefined) return undefined;
  if (container.networkMode === 'host') return '127.0.0.1';
  const named = network === undefined ? undefined : container.addresses.get(network);
  return named ?? [...container.addresses].toSorted(([a], [b]) => (a < b ? -1 : 1))[0]?.[1];
}

/** How many containers a service is to have. */
export function countOf(slots: readonly Slot[], service: string): number {
  return slots.filter((slot) => slot.service.service === service).length;
}

/** The slot that has a node of this name. @throws PreconditionError that names those that there are */
export function slotNamed(slots: readonly Slot[], name: string): Slot {
  const slot = slots.find(({ nodes }) => nodes.some((node) => node.name === name));
  if (slot !== undefined) return slot;
  const names = slots.flatMap(({ nodes }) => nodes.map((node) => node.name)).join(', ');
  throw new PreconditionError(`there is no node "${name}"; the nodes are ${names}`, { node: name });
}
