import { runCommand } from '../../adapters/run-command.js';
import { Reservations } from '../reservation.js';

/** Addresses of pods lie in 10.88.BLOCK.0/24. */
const NETWORK = '10.88';
const BLOCKS = 256;

/** What all addresses of a block begin with: `10.88.7.` */
export function beginOfBlock(block: number): string {
  return `${NETWORK}.${block}.`;
}

/**
 * A block of addresses that no other lab of this host has. `real`: addresses of it that a killed lab has left on this host are
 * removed, which takes root.
 * @throws Error when all are taken
 */
export async function takeAddressBlock(real: boolean): Promise<number> {
  const reservations = await Reservations.of('addresses');
  for (let block = 0; block < BLOCKS; block += 1) {
    if (!(await reservations.take(String(block)))) continue;
    if (real) await clearAddressBlock(block);
    return block;
  }
  throw new Error(`no free block of addresses in ${NETWORK}.0.0/16`);
}

/** Gives a block back. `real`: what is left of it on this host is removed. */
export async function releaseAddressBlock(block: number, real: boolean): Promise<void> {
  if (real) await clearAddressBlock(block);
  await (await Reservations.of('addresses')).release(String(block));
}

/** Removes an alias of the loopback interface. */
export async function removeAlias(address: string): Promise<void> {
  await runCommand('ip', ['addr', 'del', `${address}/32`, 'dev', 'lo']).catch(() => undefined); // somebody was faster
}

/**
 * Aliases of the loopback interface, and bridges with what hangs on them: a pod that was killed keeps its end of the wire for as long as the
 * kernel tries to tell the other side of a connection, which may be minutes.
 */
async function clearAddressBlock(block: number): Promise<void> {
  const { stdout } = await runCommand('ip', ['-o', '-4', 'addr', 'show', 'to', `${beginOfBlock(block)}0/24`]);
  for (const [, device = '', address = ''] of stdout.matchAll(/^\d+:\s+(\S+)\s+inet ([\d.]+)\//gm)) {
    if (device === 'lo') await removeAlias(address);
    else for (const each of [...(await portsOf(device)), device]) await removeDevice(each);
  }
}

/** What hangs on a bridge. */
async function portsOf(bridge: string): Promise<string[]> {
  const { stdout } = await runCommand('ip', ['-o', 'link', 'show', 'master', bridge]);
  return [...stdout.matchAll(/^\d+: ([^:@\s]+)/gm)].map(([, name = '']) => name);
}

async function removeDevice(name: string): Promise<void> {
  await runCommand('ip', ['link', 'del', name]).catch(() => undefined); // somebody was faster
}
