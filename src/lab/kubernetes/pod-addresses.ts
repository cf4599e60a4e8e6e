import { runCommand } from '../../adapters/run-command.js';
import { Reservations } from '../reservation.js';

/** Addresses of pods: 10.88.BLOCK.1 to 10.88.BLOCK.254, and as many more blocks as are needed. */
const NETWORK = '10.88';
const BLOCKS = 256;
const PER_BLOCK = 254;

/** Gives addresses to pods that no other lab of this host has. */
export class PodAddresses {
  private readonly blocks: Promise<number>[] = [];
  private given = 0;

  /** `real`: each is an alias of the loopback interface, so that a process can listen there; this takes root. */
  constructor(private readonly real: boolean) {}

  /** @throws CommandError when the alias cannot be made; Error when there is no address left */
  async take(): Promise<string> {
    const number = this.given++;
    const index = Math.floor(number / PER_BLOCK);
    const block = await (this.blocks[index] ??= this.takeBlock());
    const address = `${NETWORK}.${block}.${(number % PER_BLOCK) + 1}`;
    if (this.real) await runCommand('ip', ['addr', 'add', `${address}/32`, 'dev', 'lo']);
    return address;
  }

  /** It is not given again: what still speaks to the old pod is not to reach a new one. */
  async drop(address: string): Promise<void> {
    if (this.real) await removeAliases((each) => each === address);
  }

  /** Gives all of them back. */
  async close(): Promise<void> {
    const reservations = await Reservations.of('addresses');
    for (const block of await Promise.all(this.blocks)) {
      if (this.real) await removeAliases((each) => each.startsWith(`${NETWORK}.${block}.`));
      await reservations.release(String(block));
    }
  }

  private async takeBlock(): Promise<number> {
    const reservations = await Reservations.of('addresses');
    for (let block = 0; block < BLOCKS; block += 1) {
      if (!(await reservations.take(String(block)))) continue;
      // Of a lab that was killed.
      if (this.real) await removeAliases((each) => each.startsWith(`${NETWORK}.${block}.`));
      return block;
    }
    throw new Error(`no free block of addresses in ${NETWORK}.0.0/16`);
  }
}

async function removeAliases(which: (address: string) => boolean): Promise<void> {
  const { stdout } = await runCommand('ip', ['-o', '-4', 'addr', 'show', 'dev', 'lo']);
  const addresses = [...stdout.matchAll(/\binet ([\d.]+)\/32\b/g)].map(([, address = '']) => address);
  for (const address of addresses.filter(which)) {
    await runCommand('ip', ['addr', 'del', `${address}/32`, 'dev', 'lo']).catch(() => undefined); // somebody was faster
  }
}
