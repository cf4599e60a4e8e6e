import { formatDuration } from '../duration.js';
import type { Role } from '../input/input.js';
import type { Reason, RollSetting } from '../plan.js';

/** What a frontend drains by, from 1.22 on; up to 1.19 it is the time in which its health fails. */
export const DRAIN = 'frontend.shutdownDrainDuration';

/** Between the moment at which a server should be done and the one at which it is killed. */
export const MARGIN_SECONDS = 5;

/**
 * Longest time in which a process of a role stops by itself under these settings, in seconds (Stop of the services, and
 * EvictSelfAt in common/membership/ringpop/monitor.go, with a propagation time of 3 s and its jitter of 20 %).
 */
export function stopSeconds(role: Role, settings: readonly RollSetting[]): number {
  const seconds = (key: string): number => Number.parseInt(settings.find((one) => one.key === key)?.value ?? '0', 10);
  switch (role) {
    case 'frontend':
    case 'internal-frontend':
      return seconds('frontend.shutdownFailHealthCheckDuration') + Math.max(1, seconds(DRAIN));
    case 'history':
    case 'matching': {
      const align = seconds(`${role}.alignMembershipChange`);
      // Up to the next aligned moment after the propagation, then until others have seen it; then finalizers and handlers.
      const leaving = align > 0 ? 3 + align + 3.6 + 3 : seconds(`${role}.shutdownDrainDuration`);
      return leaving + 2 + (role === 'history' ? 2 : 0);
    }
    case 'worker':
      return 0;
  }
}

/** The settings, with the drain of frontends cut to what the driver waits for; where even that is too short, it is said. */
export function fitToStopTimeout(
  settings: readonly RollSetting[],
  stopTimeoutMs: number,
): { readonly settings: readonly RollSetting[]; readonly limits: readonly Reason[] } {
  const allowed = Math.floor(stopTimeoutMs / 1_000) - MARGIN_SECONDS;
  const over = stopSeconds('frontend', settings) - allowed;
  const drain = settings.find(({ key }) => key === DRAIN);
  const cutTo = drain === undefined ? 0 : Math.max(1, Number.parseInt(drain.value, 10) - over);
  const fitting = over <= 0 ? settings : settings.map((one) => (one === drain ? { ...one, value: `${cutTo}s` } : one));
  const limits: Reason[] =
    fitting === settings || drain === undefined
      ? []
      : [
          reason(
            'drain-cut',
            `frontends get ${cutTo} s instead of ${drain.value.replace('s', ' s')} to end the calls in progress, as driver.stopTimeout is ${formatDuration(stopTimeoutMs)}; ${needed('frontend', settings)} would do, and no long poll would be cut`,
          ),
        ];
  for (const role of ['frontend', 'history', 'matching'] as const) {
    if (stopSeconds(role, fitting) <= allowed) continue;
    limits.push(
      reason(
        'killed-while-stopping',
        `a ${role} process may take ${needed(role, fitting)} to stop, and driver.stopTimeout kills it after ${formatDuration(stopTimeoutMs)}: what is in progress then fails`,
      ),
    );
  }
  return { settings: fitting, limits };
}

function needed(role: Role, settings: readonly RollSetting[]): string {
  return `${Math.ceil(stopSeconds(role, settings) + MARGIN_SECONDS)} s`;
}

function reason(id: string, text: string): Reason {
  return { id, text, source: 'Stop of each service in the server’s source, and driver.stopTimeout of the input' };
}
