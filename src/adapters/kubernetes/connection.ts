import { existsSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { KubernetesDriver } from '../../core/input/input.js';
import { once } from '../../core/once.js';

/** What leads to an API server. */
export type KubeConnection = Pick<KubernetesDriver, 'kubeconfig' | 'context'>;

/** Loaded when an API server is asked: it has some 900 files, and most clusters are not in Kubernetes. */
export const loadLibrary = once(() => import('@kubernetes/client-node'));

/** Where a pod finds the account that it runs as. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * How the API server is reached: by the file of the input, else as kubectl would (KUBECONFIG, ~/.kube/config), else by the
 * service account of the pod that the worker runs in.
 * @throws PreconditionError when the file cannot be read, or has no such context
 */
export async function loadKubeConfig({ kubeconfig, context }: KubeConnection): Promise<KubeConfig> {
  const library = await loadLibrary();
  const config = new library.KubeConfig();
  const from = kubeconfig ?? 'the standard kubeconfig, or the service account of the worker’s pod';
  try {
    if (kubeconfig !== undefined) config.loadFromFile(kubeconfig);
    else if (isInCluster() && process.env['KUBECONFIG'] === undefined) config.loadFromCluster();
    else config.loadFromDefault();
  } catch (cause) {
    throw new PreconditionError(
      `how the API server is reached cannot be read from ${from}: ${messageOf(cause)}`,
      {},
      { cause },
    );
  }
  if (context !== undefined) {
    const names = config.getContexts().map(({ name }) => name);
    if (!names.includes(context)) {
      const there = names.length === 0 ? 'none' : names.join(', ');
      throw new PreconditionError(`${from} has no context "${context}"; there is ${there}. Correct "context"`);
    }
    config.setCurrentContext(context);
  }
  if (config.getCurrentCluster() === null) {
    throw new PreconditionError(`${from} names no cluster; give "kubeconfig", and "context" if it has several`);
  }
  return config;
}

/** What the library calls the one that a pod has by its service account: no file knows it by that name. */
const OF_SERVICE_ACCOUNT = 'inClusterContext';

/** Name of the context that leads to the API server; undefined where the service account of a pod does. */
export function contextIn(config: KubeConfig): string | undefined {
  const name = config.getCurrentContext();
  return name === '' || name === OF_SERVICE_ACCOUNT ? undefined : name;
}

function isInCluster(): boolean {
  return process.env['KUBERNETES_SERVICE_HOST'] !== undefined && existsSync(SERVICE_ACCOUNT);
}
