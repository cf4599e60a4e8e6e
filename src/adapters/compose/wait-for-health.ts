import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../core/duration.js';
import { PreconditionError } from '../../core/errors.js';
import { logOf } from './container-log.js';
import { type Context, lookAtProject } from './context.js';

const POLL_MS = 500;
/** Beyond the time in which the first check has to be over. */
const GRACE_MS = 5_000;

/**
 * Waits until a container is healthy, where its service has a check. One that its engine never runs, as podman without systemd,
 * says nothing and is not waited for: whether the server serves is asked of the cluster in any case.
 * @throws PreconditionError when it is not healthy in time, with what the check said
 */
export async function waitForHealth(context: Context, id: string): Promise<void> {
  const { input, work } = context;
  const begin = Date.now();
  for (;;) {
    work.signal?.throwIfAborted();
    const container = (await lookAtProject(context)).containers.find((one) => one.id === id);
    const health = container?.health;
    if (container === undefined || health === undefined || health.status === '' || health.status === 'healthy') return;
    const waited = Date.now() - begin;
    if (!health.ran && health.status === 'starting' && waited > container.firstCheckMs + GRACE_MS) return;
    if (health.status === 'unhealthy' || waited > input.startTimeout || !container.running) {
      throw new PreconditionError(
        `container ${container.name} is ${health.status} ${formatDuration(waited)} after its start; its health check said "${health.output.trim().slice(-300)}"; ${await logOf(context, container)}`,
        { container: container.name, health: health.status },
      );
    }
    work.onProgress?.(`container ${container.name} is ${health.status}`);
    await sleep(POLL_MS, undefined, { signal: work.signal });
  }
}
