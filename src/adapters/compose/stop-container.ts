import { formatDuration } from '../../core/duration.js';
import { PreconditionError } from '../../core/errors.js';
import { KILL_TIMEOUT_MS, waitUntilGone } from '../wait-until-gone.js';
import type { Container } from './container.js';
import { type Context, lookAtProject } from './context.js';

const POLL_MS = 250;
/** For the engine to say so, after it has killed it. */
const GRACE_MS = 30_000;

/** What stops a container, with as long to drain as the input says: the stop_grace_period of its service may be too short for that. */
export function stopArgs({ name }: Pick<Container, 'name'>, stopTimeoutMs: number): string[] {
  return ['stop', '--time', String(Math.ceil(stopTimeoutMs / 1_000)), name];
}

/**
 * Stops a container and waits until its process has gone. An engine that was told so by a worker that died meanwhile is told again.
 * @throws PreconditionError when it is still there after it was killed
 */
export async function stopContainer(context: Context, container: Container): Promise<void> {
  const { programs, input, work } = context;
  const gone = async () => {
    const { containers } = await lookAtProject(context);
    return containers.find(({ id }) => id === container.id)?.running !== true;
  };
  if (await gone()) return;
  const saying = `container ${container.name} is stopping`;
  const timeoutMs = input.stopTimeout + GRACE_MS;
  await programs.engine(stopArgs(container, input.stopTimeout), { timeoutMs, saying, work });
  const patience = { timeoutMs: KILL_TIMEOUT_MS, pollMs: POLL_MS, what: saying };
  if (await waitUntilGone(gone, patience, work)) return;
  throw new PreconditionError(
    `container ${container.name} still runs ${formatDuration(KILL_TIMEOUT_MS)} after its engine stopped it; look at the engine's own log`,
    { container: container.name },
  );
}
