import type { Connection } from '../../core/input/input.js';
import { askForRings, type Rings } from './rings.js';
import { connectTarget, type TargetConnection } from './target-connection.js';

/**
 * Frontends of a target that are asked again and again, each over one connection: a new one for every look, twice a second,
 * takes time from servers and worker while clients are measured. One that fails is given up, so that the next
 * question opens another, as to a frontend that was replaced.
 */
export class KeptFrontends implements AsyncDisposable {
  readonly #open = new Map<string, Promise<TargetConnection>>();
  readonly #closing = new Set<Promise<void>>();

  constructor(private readonly connection: Connection) {}

  /** The rings as the frontend at `address` (host:port) sees them. */
  async rings(address: string): Promise<Rings> {
    return this.ask(address, askForRings);
  }

  /** Asks the frontend at `address` (host:port). @throws what the question throws, or that it cannot be connected to */
  async ask<T>(address: string, question: (frontend: TargetConnection) => Promise<T>): Promise<T> {
    const opening = this.#open.get(address) ?? connectTarget(this.connection, address);
    this.#open.set(address, opening);
    try {
      return await question(await opening);
    } catch (error) {
      // Another question may have opened a new one already.
      if (this.#open.get(address) === opening) this.#open.delete(address);
      this.#close(opening);
      throw error;
    }
  }

  /** Closes all; never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const opening of this.#open.values()) this.#close(opening);
    this.#open.clear();
    await Promise.all(this.#closing);
  }

  #close(opening: Promise<TargetConnection>): void {
    const closing = opening.then((frontend) => frontend.close()).catch(() => undefined); // it was never open
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }
}
