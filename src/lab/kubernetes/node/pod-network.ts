import { runCommand } from '../../../adapters/run-command.js';
import { PreconditionError } from '../../../core/errors.js';
import { beginOfBlock, releaseAddressBlock, takeAddressBlock } from '../address-blocks.js';

/** The network of a node's pods: a bridge of this host with addresses that no other lab has. It leads nowhere else. */
export interface PodNetwork {
  /** Of the bridge, and of whatever else a node with this network has on the host. */
  readonly name: string;
  /** Address of this host on it: the node's own, and where pods reach what listens here. */
  readonly host: string;
  /** As in `10.88.7.0/24`. */
  readonly subnet: string;
  /** The first one that a pod gets. */
  readonly firstPod: string;
  /** Removes the bridge, and gives the addresses back. */
  close(): Promise<void>;
}

/**
 * Makes such a network. Pods reach each other and this host without a rule of a firewall, a route, or a setting of the kernel that
 * would hold for the whole host.
 * @throws PreconditionError when this process is not root; CommandError when the kernel has no bridges
 */
export async function makePodNetwork(): Promise<PodNetwork> {
  if (process.getuid?.() !== 0) throw new PreconditionError('containers of the lab take root; run as root');
  const block = await takeAddressBlock(true);
  const begin = beginOfBlock(block);
  const name = `temporal-lab${block}`; // an interface has 15 letters at most
  const ip = (...args: readonly string[]) => runCommand('ip', args);
  const remove = () => ip('link', 'del', name).catch(() => undefined); // there is none
  try {
    await remove();
    // With an address of its own, as else it changes with every pod, and what is known of it is wrong for a while.
    const hardware = `02:00:0a:58:${block.toString(16).padStart(2, '0')}:01`;
    await ip('link', 'add', 'name', name, 'address', hardware, 'type', 'bridge');
    await ip('addr', 'add', `${begin}1/24`, 'dev', name);
    await ip('link', 'set', name, 'up');
  } catch (error) {
    await remove();
    await releaseAddressBlock(block, true);
    throw error;
  }
  return {
    name,
    host: `${begin}1`,
    subnet: `${begin}0/24`,
    firstPod: `${begin}10`,
    close: () => releaseAddressBlock(block, true),
  };
}
