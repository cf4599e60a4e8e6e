import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import { kubeconfigOf } from '../../src/lab/kubernetes/kube-access-files.js';

/** A service account of the lab's Kubernetes, and a kubeconfig with which one is that account and nobody else. */
export interface Account {
  readonly kubeconfig: string;
  /** As the API server calls it. */
  readonly user: string;
}

/** Lets one be a service account that there is, as its pod would be: by a token of its own, for two hours. */
export async function accountOf(kubernetes: LabKubernetes, namespace: string, name: string): Promise<Account> {
  const args = ['create', 'token', name, '--namespace', namespace, '--duration', '2h'];
  const token = (await kubernetes.kubectl(...args)).trim();
  const kubeconfig = join(kubernetes.directory, `${namespace}-${name}.kubeconfig`);
  await writeFile(kubeconfig, stringify(kubeconfigOf({ ...kubernetes.access, token })), { mode: 0o600 });
  return { kubeconfig, user: `system:serviceaccount:${namespace}:${name}` };
}
