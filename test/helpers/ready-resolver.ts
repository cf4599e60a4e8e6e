import { experimental } from '@grpc/grpc-js';
import { checkHealth, HEALTH_SERVICES } from '../../src/adapters/grpc-health.js';
import { splitAddress } from '../../src/core/address.js';

/** Targets of gRPC that {@link ReadyResolver} resolves: `ready:HOST:PORT,HOST:PORT`. */
export const READY = 'ready';

/**
 * Gives a client of gRPC the frontends that are ready, as DNS does for a headless service of Kubernetes, whose readiness probe is the gRPC
 * health: when the client begins, and when it asks anew because a connection of it has ended; never in between. One machine
 * has no two hosts with the same port, so DNS itself cannot be used. Unlike it, it may be asked more often than every 30 s.
 */
class ReadyResolver implements experimental.Resolver {
  readonly #addresses: readonly string[];
  #ready: readonly string[] = [];
  #isOver = false;
  #isAsking = false;

  constructor(
    { path }: experimental.GrpcUri,
    private readonly listener: experimental.ResolverListener,
  ) {
    this.#addresses = path.split(',');
  }

  static getDefaultAuthority(): string {
    return 'temporal';
  }

  updateResolution(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    void this.#ask().finally(() => {
      this.#isAsking = false;
    });
  }

  destroy(): void {
    this.#isOver = true;
  }

  async #ask(): Promise<void> {
    const states = await Promise.all(this.#addresses.map((each) => checkHealth(each, HEALTH_SERVICES.frontend)));
    const ready = this.#addresses.filter((_, index) => states[index] === 'SERVING');
    if (ready.length > 0) this.#ready = ready;
    if (this.#isOver) return;
    const endpoints = this.#ready.map((address) => ({ addresses: [splitAddress(address)] }));
    this.listener(experimental.statusOrFromValue(endpoints), {}, null, '');
  }
}

experimental.registerResolver(READY, ReadyResolver);
