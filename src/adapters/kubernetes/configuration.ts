import { stringify } from 'yaml';
import { z } from 'zod';
import type { ConfigurationFile } from '../driver.js';
import { hasStatus } from './api-error.js';
import { patiently } from './api.js';
import type { Context } from './context.js';
import { findWorkloads } from './find-workloads.js';
import { createHelm } from './helm.js';

const Manifest = z.looseObject({ metadata: z.looseObject({}) });

/**
 * What the configuration of pods is, as files: the manifests of their workloads, the ConfigMaps that they mount, and the values of
 * the release where helm is used. Never a Secret.
 */
export async function configurationFiles(context: Context): Promise<ConfigurationFile[]> {
  const { api, input, work } = context;
  const workloads = await patiently(() => findWorkloads(api, input), work);
  const maps = new Set(
    workloads.flatMap(({ shape }) =>
      shape.spec.template.spec.volumes.flatMap(({ configMap }) => configMap?.name ?? []),
    ),
  );
  const files: ConfigurationFile[] = [];
  for (const { shape, name, path } of workloads) {
    files.push({ path: `${shape.kind.toLowerCase()}-${name}.yaml`, text: manifestOf(await read(context, path)) });
  }
  for (const name of maps) {
    const found = await read(context, `/api/v1/namespaces/${input.namespace}/configmaps/${name}`).catch(unlessGone);
    if (found !== undefined) files.push({ path: `configmap-${name}.yaml`, text: manifestOf(found) });
  }
  if (input.change.by === 'helm') {
    const helm = createHelm(input, input.change);
    files.push({ path: `values-${helm.release}.yaml`, text: await helm.values(work) });
  }
  return files;
}

function read({ api, work }: Context, path: string): Promise<unknown> {
  return patiently(() => api.get(path), work);
}

/** A volume may name a ConfigMap that is optional. */
function unlessGone(error: unknown): undefined {
  if (hasStatus(error, 404)) return undefined;
  throw error;
}

/** What only its own cluster knows of an object. */
const OWN = ['managedFields', 'uid', 'resourceVersion', 'generation', 'creationTimestamp'];

function manifestOf(found: unknown): string {
  const { metadata, ...rest } = Manifest.parse(found);
  const kept = Object.entries(metadata).filter(([name]) => !OWN.includes(name));
  return stringify({ ...rest, status: undefined, metadata: Object.fromEntries(kept) });
}
