import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeWhole } from '../../adapters/write-whole.js';
import type { KubeApi } from './kube-api.js';
import { configMapData } from './pod-objects.js';
import type { Container, Pod } from './pod.js';

/** A ConfigMap as a container sees it. */
export interface Mount {
  readonly configMap: string;
  readonly mountPath: string;
  readonly subPath: string | undefined;
  /** Those of its keys that are mounted, with the names of their files; all under their own names when left out. */
  readonly items?: readonly { readonly key: string; readonly path: string }[] | undefined;
}

/** The ConfigMaps that a container mounts. */
export function mountsOf(pod: Pod, container: Container): Mount[] {
  return container.volumeMounts.flatMap(({ name, mountPath, subPath }) => {
    const source = pod.spec.volumes.find((volume) => volume.name === name)?.configMap;
    return source === undefined ? [] : [{ configMap: source.name, items: source.items, mountPath, subPath }];
  });
}

/** Writes the files of `mounts` below `root`, at their paths in the container. @throws KubeApiError when a ConfigMap is missing */
export async function writeMounts(
  api: KubeApi,
  { namespace, mounts, root }: { readonly namespace: string; readonly mounts: readonly Mount[]; readonly root: string },
): Promise<void> {
  for (const { configMap, items, mountPath, subPath } of mounts) {
    const all = await configMapData(api, namespace, configMap);
    const data =
      items === undefined ? all : Object.fromEntries(items.map(({ key, path }) => [path, all[key] ?? ''] as const));
    const files = subPath === undefined ? Object.entries(data) : [[subPath, data[subPath] ?? ''] as const];
    for (const [key, content] of files) {
      const file = subPath === undefined ? join(root, mountPath, key) : join(root, mountPath);
      await mkdir(dirname(file), { recursive: true });
      await writeWhole(file, content, 0o600);
    }
  }
}

/** Those that a kubelet keeps as the API has them: a file mounted by `subPath` stays as it was when its pod began. */
export function keptMounts(mounts: readonly Mount[]): readonly Mount[] {
  return mounts.filter(({ subPath }) => subPath === undefined);
}

/** `text` with paths of the container made those below `root`. */
export function withPathsBelow(root: string, mounts: readonly Mount[], text: string): string {
  return mounts.reduce((left, { mountPath }) => left.replaceAll(mountPath, join(root, mountPath)), text);
}
