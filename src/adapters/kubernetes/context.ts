import type { KubernetesDriver } from '../../core/input/input.js';
import type { Work } from '../store.js';
import type { KubeApi } from './api.js';

/** What every part of the driver works with. */
export interface Context {
  readonly api: KubeApi;
  readonly input: KubernetesDriver;
  readonly work: Work;
  /** So long at least the controller waits after a pod became ready, should the worker die before it is held again. */
  readonly leastSeconds: number;
  /** Longest time until a kubelet gives a changed ConfigMap to its pods, in milliseconds; that of a real one when left out. */
  readonly kubeletMs?: number | undefined;
}
