import type { Work } from '../../adapters/store.js';
import { findEtcd } from './etcd.js';
import { findHelm } from './helm-programs.js';
import { findKubemini } from './kubemini.js';

/** The programs of a lab's Kubernetes. */
export interface KubernetesBinaries {
  /** API server, controller manager and scheduler: `kubemini kube-apiserver …`. */
  readonly kubemini: string;
  readonly etcd: string;
  readonly kubectl: string;
  readonly helm3: string;
  readonly helm4: string;
}

/** Brings what is not there yet, minutes the first time, and moments after. @throws PreconditionError for what cannot be had */
export async function findKubernetesBinaries(work: Work = {}): Promise<KubernetesBinaries> {
  // The small ones first: what is missing on this machine is then known before the long build.
  const etcd = await findEtcd();
  const { helm: helm3 } = await findHelm(3);
  const { helm: helm4, kubectl } = await findHelm(4);
  return { kubemini: await findKubemini(work), etcd, kubectl, helm3, helm4 };
}
