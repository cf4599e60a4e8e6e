import type { NodeState } from '../../core/cluster.js';
import type { Role } from '../../core/input/input.js';
import { SETTINGS_RULE } from '../../core/pods/access-rules.js';
import { readsKeysOf } from '../../core/planning/unreached-nodes.js';
import { hasRight } from './access.js';
import { nodesOfWorkload } from './as-pod.js';
import { patiently } from './api.js';
import type { Context } from './context.js';
import { type DynamicPlace, dynamicPlaceOf } from './dynamic-place.js';
import { findPods, type RolePods } from './find-workloads.js';
import { mapReader, readPodFiles } from './pod-files.js';
import type { ReadingPod } from './pods-picked-up.js';
import { serverContainer } from './workload.js';

/** A pod that reads a place, or is to. */
export interface Reader extends ReadingPod {
  readonly role: Role;
}

/** A place of dynamic configuration with all who read it. */
export interface ReadPlace extends DynamicPlace {
  readonly readers: readonly Reader[];
}

export interface FoundPlaces {
  readonly places: readonly ReadPlace[];
  readonly unreached: readonly { readonly node: string; readonly role: Role; readonly reason: string }[];
}

/** The keys of ConfigMaps from which the servers of a target take their dynamic configuration. @throws as `findWorkloads` does */
export async function findPlaces(context: Context): Promise<FoundPlaces> {
  const { api, input, work } = context;
  const [found, mayPatch] = await Promise.all([
    patiently(() => findPods(api, input), work),
    patiently(() => hasRight(api, input, SETTINGS_RULE), work),
  ]);
  const read = mapReader(context);
  const looks = await Promise.all(
    found.map(async (one) => ({ readers: readersOf(one, context), place: await placeOf(one, context, read) })),
  );
  const reached = looks.flatMap(({ readers, place }) =>
    'reason' in place || !mayPatch ? [] : [{ ...place, readers }],
  );
  const same = Map.groupBy(reached, ({ configMap, key }) => `${configMap}/${key}`);
  return {
    places: [...same.values()].flatMap((all) => {
      const [first] = all;
      if (first === undefined) return [];
      return [
        {
          ...first,
          pollMs: Math.max(...all.map(({ pollMs }) => pollMs)),
          tells: all.every(({ tells }) => tells),
          readers: all.flatMap(({ readers }) => readers),
        },
      ];
    }),
    unreached: looks.flatMap(({ readers, place }) => {
      const reason = 'reason' in place ? place.reason : mayPatch ? undefined : missingRight(input.namespace);
      return reason === undefined ? [] : readers.map(({ node, role }) => ({ node, role, reason }));
    }),
  };
}

/** Keys of ConfigMaps that hold the dynamic configuration, as far as one can tell, whether they may be changed or not. */
async function placeOf(
  { workload: { shape, role } }: RolePods,
  { input }: Context,
  read: ReturnType<typeof mapReader>,
): ReturnType<typeof dynamicPlaceOf> {
  const { containers, volumes } = shape.spec.template.spec;
  const container = serverContainer(containers, role, input);
  if (container === undefined) return { reason: 'its pods have no container of a server' };
  return dynamicPlaceOf(await readPodFiles(read, { container, volumes }), read);
}

function readersOf({ workload, pods }: RolePods, { input }: Context): Reader[] {
  return nodesOfWorkload(workload, pods, input)
    .filter(({ leaving }) => leaving !== true)
    .map(({ name: node, role, pod = '', running }: NodeState) => ({
      node,
      role,
      pod,
      container: pods.find(({ name }) => name === pod)?.container ?? workload.container,
      running,
    }));
}

/** Whether one of these roles reads a setting of `role`. */
export function isReadBy(role: Role, readers: readonly Pick<Reader, 'role'>[]): boolean {
  return readers.some((reader) => readsKeysOf(reader.role) === role);
}

function missingRight(namespace: string): string {
  return `this worker may not patch configmaps in namespace ${namespace}; give it the Role of service/kubernetes/role.yaml`;
}
