/** Which file of a container is which key of which ConfigMap, by the template of its pod. */

/** A key of a ConfigMap, and the name of its file where they differ. */
export interface MapItem {
  readonly key: string;
  readonly path: string;
}

/** ConfigMap of a volume: some of its keys, else all. */
export interface MapSource {
  readonly name: string;
  readonly items?: readonly MapItem[] | undefined;
}

export interface Volume {
  readonly name: string;
  readonly configMap?: MapSource | undefined;
  readonly projected?: { readonly sources: readonly { readonly configMap?: MapSource | undefined }[] } | undefined;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string | undefined;
}

/** Text of a ConfigMap by its keys; undefined where there is none of that name. */
export type MapData = (name: string) => Readonly<Record<string, string>> | undefined;

/** A file in a container that is a key of a ConfigMap. */
export interface MountedFile {
  readonly path: string;
  readonly configMap: string;
  readonly key: string;
  readonly text: string;
  /** Mounted by itself: it stays as it was when its pod began. */
  readonly isFixed: boolean;
}

/** The ConfigMaps that these mounts show, each once. */
export function mapsOf(mounts: readonly VolumeMount[], volumes: readonly Volume[]): string[] {
  const names = mounts.flatMap(({ name }) => sourcesOf(volumes, name).map((source) => source.name));
  return [...new Set(names)];
}

/** Every file that these mounts show out of ConfigMaps; where two have one path, the mount that comes later. */
export function mountedFiles(
  mounts: readonly VolumeMount[],
  volumes: readonly Volume[],
  dataOf: MapData,
): MountedFile[] {
  const files = mounts.flatMap((mount) =>
    sourcesOf(volumes, mount.name).flatMap((source) => filesOf(mount, source, dataOf(source.name) ?? {})),
  );
  return [...new Map(files.map((file) => [file.path, file])).values()];
}

/** ConfigMaps of a volume whose file would be at `path`, whether they are there or not. */
export function mapsThatWouldHold(
  path: string,
  mounts: readonly VolumeMount[],
  volumes: readonly Volume[],
): readonly string[] {
  const above = mounts.filter(({ mountPath }) => path === mountPath || path.startsWith(`${withoutSlash(mountPath)}/`));
  return mapsOf(above, volumes);
}

function sourcesOf(volumes: readonly Volume[], name: string): MapSource[] {
  const volume = volumes.find((one) => one.name === name);
  const projected = volume?.projected?.sources.flatMap(({ configMap }) => configMap ?? []) ?? [];
  return volume?.configMap === undefined ? projected : [volume.configMap, ...projected];
}

function filesOf(
  { mountPath, subPath }: VolumeMount,
  { name, items }: MapSource,
  data: Readonly<Record<string, string>>,
): MountedFile[] {
  const all = items ?? Object.keys(data).map((key) => ({ key, path: key }));
  return all.flatMap(({ key, path }) => {
    const text = data[key];
    if (text === undefined) return [];
    const file = { configMap: name, key, text, isFixed: subPath !== undefined };
    if (subPath === undefined) return [{ ...file, path: `${withoutSlash(mountPath)}/${path}` }];
    if (path === subPath) return [{ ...file, path: mountPath }];
    const inside = `${withoutSlash(subPath)}/`;
    return path.startsWith(inside)
      ? [{ ...file, path: `${withoutSlash(mountPath)}/${path.slice(inside.length)}` }]
      : [];
  });
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '');
}
