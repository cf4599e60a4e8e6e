import { messageOf } from '../../core/errors.js';
import type { KubernetesDriver, Role } from '../../core/input/input.js';
import { STORE_PARTS, type StorePart } from '../../core/stores.js';
import { dynamicPlaceOf } from '../kubernetes/dynamic-place.js';
import type { RolePods } from '../kubernetes/find-workloads.js';
import { nameOfFile, podConfiguration } from '../kubernetes/pod-configuration.js';
import { type MapReader, readPodFiles } from '../kubernetes/pod-files.js';
import { serverContainer } from '../kubernetes/workload.js';
import { configurationFacts, type FoundPlace, placeFacts } from '../process/configuration-facts.js';

/** What the ConfigMaps of a release say of its servers. */
export interface FoundConfiguration {
  readonly shards?: number | undefined;
  readonly stores: Readonly<Partial<Record<StorePart, FoundPlace>>>;
  readonly rpcPorts: Readonly<Partial<Record<Role, number>>>;
  /** host:port on which its metrics are; null where its configuration has none, absent where that was not seen. */
  readonly metricsAddress?: string | null | undefined;
  readonly tls: { readonly internode: boolean; readonly frontend: boolean };
  /** Where each role takes its dynamic configuration from, or why that cannot be changed while it runs; each once. */
  readonly dynamic: readonly string[];
  readonly unseen: readonly string[];
}

/** Reads the configuration of every role as its pods have it. Never a Secret; never throws. */
export async function readReleaseConfiguration(
  found: readonly RolePods[],
  input: KubernetesDriver,
  read: MapReader,
): Promise<FoundConfiguration> {
  const roles = await Promise.all(found.map((one) => readRole(one, input, read)));
  const seen = roles.flatMap((one) => ('unseen' in one ? [] : [one]));
  const stores = Object.fromEntries(
    STORE_PARTS.flatMap((part) => {
      const place = seen.flatMap(({ places }) => places.stores[part] ?? [])[0];
      return place === undefined ? [] : [[part, place]];
    }),
  );
  return {
    shards: seen.flatMap(({ facts }) => facts.numHistoryShards ?? [])[0],
    stores,
    rpcPorts: Object.fromEntries(
      seen.flatMap(({ role, places: { grpcPort } }) => (grpcPort === undefined ? [] : [[role, grpcPort]])),
    ),
    metricsAddress:
      seen.length === 0 ? undefined : (seen.flatMap(({ places }) => places.metricsAddress ?? [])[0] ?? null),
    tls: {
      internode: seen.some(({ facts }) => facts.tls.internode),
      frontend: seen.some(({ facts }) => facts.tls.frontend),
    },
    dynamic: [...new Set(seen.map(({ dynamic }) => dynamic))],
    unseen: [...new Set(roles.flatMap((one) => ('unseen' in one ? [one.unseen] : [])))],
  };
}

interface SeenRole {
  readonly role: Role;
  readonly facts: ReturnType<typeof configurationFacts>['facts'];
  readonly places: ReturnType<typeof placeFacts>;
  readonly dynamic: string;
}

async function readRole(
  { workload, pods }: RolePods,
  input: KubernetesDriver,
  read: MapReader,
): Promise<SeenRole | { readonly unseen: string }> {
  const { role, shape } = workload;
  const { containers, volumes } = shape.spec.template.spec;
  const container = serverContainer(containers, role, input);
  if (container === undefined)
    return { unseen: `the configuration of ${role}: its pods have no container of a server` };
  const [pod] = pods;
  const fields = { 'status.podIP': pod?.ip, 'metadata.name': pod?.name, 'metadata.namespace': input.namespace };
  try {
    const files = await readPodFiles(read, { container, volumes, fields });
    const configuration = podConfiguration(files);
    const place = await dynamicPlaceOf(files, read);
    return {
      role,
      facts: configurationFacts(configuration, role).facts,
      places: placeFacts(configuration, role),
      dynamic: 'reason' in place ? `not to be changed while they run: ${place.reason}` : nameOfFile(place),
    };
  } catch (error) {
    return { unseen: `the configuration of its servers: ${messageOf(error)}` };
  }
}
