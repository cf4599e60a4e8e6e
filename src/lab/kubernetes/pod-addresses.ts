import { runCommand } from '../../adapters/run-command.js';
import { beginOfBlock, releaseAddressBlock, removeAlias, takeAddressBlock } from './address-blocks.js';

/** 1 to 254 of each block, and as many more blocks as are needed. */
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
    const block = await (this.blocks[Math.floor(number / PER_BLOCK)] ??= takeAddressBlock(this.real));
    const address = `${beginOfBlock(block)}${(number % PER_BLOCK) + 1}`;
    if (this.real) await runCommand('ip', ['addr', 'add', `${address}/32`, 'dev', 'lo']);
    return address;
  }

  /** It is not given again: what still speaks to the old pod is not to reach a new one. */
  async drop(address: string): Promise<void> {
    if (this.real) await removeAlias(address);
  }

  /** Gives all of them back. */
  async close(): Promise<void> {
    for (const block of await Promise.all(this.blocks)) await releaseAddressBlock(block, this.real);
  }
}
