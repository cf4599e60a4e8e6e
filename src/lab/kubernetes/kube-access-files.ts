import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { filesOf } from './control-plane-arguments.js';
import type { KubeAccess } from './kube-api.js';

/** Closed to others: what they hold lets anybody in. */
const PRIVATE = { mode: 0o600 } as const;

/** Writes what lets its users and service accounts into a Kubernetes in `directory`, and the kubeconfig of its one user. */
export async function writeAccessFiles(
  directory: string,
  { access, kubeconfig }: { readonly access: KubeAccess; readonly kubeconfig: string },
): Promise<void> {
  const files = filesOf(directory);
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  await writeFile(files.accountKey, privateKey, PRIVATE);
  await writeFile(files.accountPublicKey, publicKey);
  await writeFile(files.tokens, `${access.token},admin,admin,system:masters\n`, PRIVATE);
  await writeFile(kubeconfig, stringify(kubeconfigOf(access)), PRIVATE);
}

/** A kubeconfig with one context, `lab`. */
export function kubeconfigOf({ server, caFile, token }: KubeAccess): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server, 'certificate-authority': caFile } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'admin' } }],
    'current-context': 'lab',
  };
}
