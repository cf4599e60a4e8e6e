import type { KnownEnvironment } from '../../core/pods/fill-template.js';
import { mapsOf, mapsThatWouldHold, type MountedFile, mountedFiles } from '../../core/pods/mounted-files.js';
import { hasStatus } from './api-error.js';
import { patiently } from './api.js';
import type { Context } from './context.js';
import { ConfigMapShape, type ContainerShape, type PodShape } from './shapes.js';

/** Reads a ConfigMap of the target's namespace, each once; undefined where there is none. */
export type MapReader = (name: string) => Promise<ConfigMapShape | undefined>;

/** What a server's container has of files and environment, as far as ConfigMaps and its pod tell; never a Secret. */
export interface PodFiles {
  readonly files: readonly MountedFile[];
  readonly environment: KnownEnvironment;
  /** ConfigMaps that would hold a file of this path. */
  readonly holders: (path: string) => readonly string[];
}

export interface PodPart {
  readonly container: ContainerShape;
  readonly volumes: PodShape['spec']['volumes'];
  /** What its pod says of itself: `status.podIP`. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
}

/** Reads ConfigMaps, each at most once as long as it is kept. */
export function mapReader({ api, input, work }: Context): MapReader {
  const read = new Map<string, Promise<ConfigMapShape | undefined>>();
  return (name) => {
    const begun =
      read.get(name) ?? patiently(() => api.get(mapPath(input.namespace, name)), work).then(parse, unlessGone);
    read.set(name, begun);
    return begun;
  };
}

/** Path of a ConfigMap at the API server. */
export function mapPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/configmaps/${name}`;
}

/** The files and the environment of a server's container. @throws ApiError, UnreachableError */
export async function readPodFiles(read: MapReader, { container, volumes, fields = {} }: PodPart): Promise<PodFiles> {
  const { volumeMounts, env, envFrom } = container;
  const names = [
    ...mapsOf(volumeMounts, volumes),
    ...env.flatMap(({ valueFrom }) => valueFrom?.configMapKeyRef?.name ?? []),
    ...envFrom.flatMap(({ configMapRef }) => configMapRef?.name ?? []),
  ];
  const found = await Promise.all(names.map(async (name) => [name, (await read(name))?.data] as const));
  const data = new Map(found);
  return {
    files: mountedFiles(volumeMounts, volumes, (name) => data.get(name)),
    environment: environmentOf(container, data, fields),
    holders: (path) => mapsThatWouldHold(path, volumeMounts, volumes),
  };
}

function environmentOf(
  { env, envFrom }: ContainerShape,
  data: ReadonlyMap<string, Readonly<Record<string, string>> | undefined>,
  fields: Readonly<Record<string, string | undefined>>,
): KnownEnvironment {
  const values: Record<string, string> = {};
  for (const { prefix, configMapRef } of envFrom) {
    for (const [key, value] of Object.entries(data.get(configMapRef?.name ?? '') ?? {}))
      values[`${prefix}${key}`] = value;
  }
  for (const { name, value, valueFrom } of env) {
    const { fieldRef, configMapKeyRef } = valueFrom ?? {};
    const found =
      valueFrom === undefined
        ? // A value may name those before it.
          (value ?? '').replace(/\$\((\w+)\)/g, (all, other: string) => values[other] ?? all)
        : fieldRef === undefined
          ? data.get(configMapKeyRef?.name ?? '')?.[configMapKeyRef?.key ?? '']
          : fields[fieldRef.fieldPath];
    if (found !== undefined) values[name] = found;
  }
  return values;
}

function parse(found: unknown): ConfigMapShape {
  return ConfigMapShape.parse(found);
}

function unlessGone(error: unknown): undefined {
  if (hasStatus(error, 404)) return undefined;
  throw error;
}
