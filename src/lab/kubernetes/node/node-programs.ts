import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Work } from '../../../adapters/store.js';
import { messageOf, PreconditionError } from '../../../core/errors.js';
import { unpackedPackages } from '../../debian-packages.js';
import { findImageProgram } from './image-program.js';
import { findKubelet } from './kubelet.js';

/** The programs of a real node. */
export interface NodePrograms {
  readonly kubelet: string;
  /** With the shim that it starts for each pod beside it. */
  readonly containerd: string;
  readonly runc: string;
  /** Folder of the plugins that give a pod its network. */
  readonly networkPlugins: string;
  /** What runs in images of the lab beside a server; see {@link findImageProgram}. */
  readonly imageProgram: string;
}

/** runc's own library, libseccomp, is one that apt itself needs. */
const PACKAGES = ['containerd', 'runc', 'containernetworking-plugins'] as const;
const PLACES = {
  containerd: 'usr/bin/containerd',
  shim: 'usr/bin/containerd-shim-runc-v2',
  runc: 'usr/sbin/runc',
  bridge: 'usr/lib/cni/bridge',
} as const;

/**
 * containerd, runc and network plugins of Debian or Ubuntu, unpacked into the cache and not installed; the kubelet built from the Go
 * module proxy, minutes the first time.
 * @throws PreconditionError that names what cannot be had
 */
export async function findNodePrograms(work: Work = {}): Promise<NodePrograms> {
  const folder = await unpackedPackages('kubernetes-node', PACKAGES).catch((cause: unknown) => {
    throw new PreconditionError(
      `no containers for the lab: apt-get cannot bring ${PACKAGES.join(', ')} (${messageOf(cause).slice(0, 300)})`,
      {},
      { cause },
    );
  });
  for (const place of Object.values(PLACES)) {
    await access(join(folder, place)).catch(() => {
      throw new PreconditionError(
        `no ${place} among the packages ${PACKAGES.join(', ')}; remove ${folder} to bring them anew`,
      );
    });
  }
  const imageProgram = await findImageProgram(work);
  return {
    kubelet: await findKubelet(work),
    containerd: join(folder, PLACES.containerd),
    runc: join(folder, PLACES.runc),
    networkPlugins: join(folder, 'usr/lib/cni'),
    imageProgram,
  };
}
