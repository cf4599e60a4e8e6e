import type { Work } from '../../adapters/store.js';
import { findKubernetesProgram } from './build-kubernetes.js';
import { MAIN_GO } from './kubemini-source.js';

/**
 * Kubernetes' API server, controller manager and scheduler as one program, built from the Go module proxy into the cache the
 * first time: some nine minutes on two processors, 2 GiB of memory.
 * @throws PreconditionError when it cannot be built
 */
export function findKubemini(work: Work = {}): Promise<string> {
  return findKubernetesProgram({ name: 'kubemini', source: MAIN_GO, asked: ['kube-apiserver', '--version'] }, work);
}
