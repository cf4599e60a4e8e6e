import { z } from 'zod';
import type { KubeApi } from './kube-api.js';
import type { Container, EnvironmentVariable, Pod } from './pod.js';

const ConfigMap = z.looseObject({ data: z.record(z.string(), z.string()).default({}) });
const Secret = z.looseObject({ data: z.record(z.string(), z.base64()).default({}) });

/** Keys of a ConfigMap with their values. @throws KubeApiError when there is none of that name */
export async function configMapData(api: KubeApi, namespace: string, name: string): Promise<Record<string, string>> {
  return ConfigMap.parse(await api.get(`/api/v1/namespaces/${namespace}/configmaps/${name}`)).data;
}

/** The environment of a container, with what it names by reference. @throws Error that names what is not there */
export async function environmentOf(
  api: KubeApi,
  { pod, container, podIp }: { readonly pod: Pod; readonly container: Container; readonly podIp: string },
): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const variable of container.env) {
    const value = await valueOf(api, pod, podIp, variable);
    // A value may name those before it.
    if (value !== undefined)
      values[variable.name] = value.replace(/\$\((\w+)\)/g, (all, name: string) => values[name] ?? all);
  }
  return values;
}

async function valueOf(
  api: KubeApi,
  { metadata: { name, namespace, uid } }: Pod,
  podIp: string,
  { name: variable, value, valueFrom }: EnvironmentVariable,
): Promise<string | undefined> {
  if (valueFrom === undefined) return value ?? '';
  const { fieldRef, secretKeyRef, configMapKeyRef } = valueFrom;
  const fields: Readonly<Record<string, string>> = {
    'status.podIP': podIp,
    'metadata.name': name,
    'metadata.namespace': namespace,
    'metadata.uid': uid,
  };
  const reference = secretKeyRef ?? configMapKeyRef;
  const found =
    secretKeyRef !== undefined
      ? await secretData(api, namespace, secretKeyRef.name).then((data) => data[secretKeyRef.key])
      : configMapKeyRef !== undefined
        ? (await configMapData(api, namespace, configMapKeyRef.name))[configMapKeyRef.key]
        : fields[fieldRef?.fieldPath ?? ''];
  if (found !== undefined || reference?.optional === true) return found;
  throw new Error(
    `the variable ${variable} refers to ${JSON.stringify(valueFrom)}, which is not there or not known to the lab's node`,
  );
}

async function secretData(api: KubeApi, namespace: string, name: string): Promise<Record<string, string>> {
  const { data } = Secret.parse(await api.get(`/api/v1/namespaces/${namespace}/secrets/${name}`));
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  );
}
