import { messageOf } from '../../core/errors.js';
import type { KubernetesDriver, Role } from '../../core/input/input.js';
import type { NodeConfiguration, PlacedKey } from '../../core/survey/node-configuration.js';
import type { Seen } from '../../core/survey/seen.js';
import { configurationFacts } from '../process/configuration-facts.js';
import { NotReadableError, parseConfiguration } from '../process/parse-configuration.js';
import { createKubeApi, type KubeApi } from './api.js';
import { nodesOfWorkload } from './as-pod.js';
import { dynamicFileOf } from './dynamic-place.js';
import { findPods, type RolePods } from './find-workloads.js';
import { nameOfFile, podConfiguration } from './pod-configuration.js';
import { mapReader, type PodFiles, readPodFiles } from './pod-files.js';
import { serverContainer } from './workload.js';

/** What the configuration of each node is, by its name, as far as ConfigMaps show it. Never a Secret; never throws. */
export async function surveyPodConfigurations(
  input: KubernetesDriver,
  given?: KubeApi,
): Promise<(name: string) => Seen<NodeConfiguration>> {
  try {
    const api = given ?? createKubeApi(input);
    const context = { api, input, work: {}, leastSeconds: 0 };
    const read = mapReader(context);
    const found = await findPods(api, input);
    const known = new Map((await Promise.all(found.map((one) => ofRole(one, input, read)))).flat());
    return (name) => known.get(name) ?? { unseen: 'it has no pod' };
  } catch (error) {
    const unseen = messageOf(error);
    return () => ({ unseen });
  }
}

async function ofRole(
  { workload, pods }: RolePods,
  input: KubernetesDriver,
  read: ReturnType<typeof mapReader>,
): Promise<[string, Seen<NodeConfiguration>][]> {
  const { role, shape } = workload;
  const { containers, volumes } = shape.spec.template.spec;
  const container = serverContainer(containers, role, input);
  return Promise.all(
    nodesOfWorkload(workload, pods, input).map(async ({ name, pod }) => {
      const own = pods.find((one) => one.name === pod);
      if (container === undefined || own === undefined) return [name, { unseen: 'it has no pod' }] as const;
      const fields = { 'status.podIP': own.ip, 'metadata.name': own.name, 'metadata.namespace': input.namespace };
      return [name, configurationOf(await readPodFiles(read, { container, volumes, fields }), role)] as const;
    }),
  ).then((all) => all.map(([name, seen]) => [name, seen]));
}

function configurationOf(pod: PodFiles, role: Role): Seen<NodeConfiguration> {
  return unlessUnreadable(() => {
    const { facts, dynamicFile } = configurationFacts(podConfiguration(pod), role);
    return { ...facts, dynamic: dynamicFile === undefined ? { seen: 'none' as const } : dynamicOf(pod) };
  });
}

function dynamicOf(pod: PodFiles): NodeConfiguration['dynamic'] {
  return unlessUnreadable(() => {
    const { file, found } = dynamicFileOf(pod);
    if (found === undefined) throw new NotReadableError(`${file} is in no ConfigMap that its pods mount`);
    const name = nameOfFile(found);
    const keys = parseConfiguration(name, found.text)
      .settings.filter(({ depth }) => depth === 1)
      .map(({ path: [key = ''], line }): PlacedKey => ({ key, file: name, line }));
    return { file: name, keys };
  });
}

function unlessUnreadable<T>(read: () => T): Seen<T> {
  try {
    return { seen: read() };
  } catch (error) {
    if (error instanceof NotReadableError) return { unseen: error.message };
    throw error;
  }
}
