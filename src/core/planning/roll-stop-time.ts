import { formatDuration } from '../duration.js';
import type { Role } from '../input/input.js';
import type { Reason, RollSetting } from '../plan.js';
import type { StopBound } from './roll-stop-bound.js';

/** What a frontend drains by, from 1.22 on; up to 1.19 it is the time in which its health fails. */
export const DRAIN = 'frontend.shutdownDrainDuration';

/** For how long its health fails before that, while it answers all calls. */
const HEALTH_FAILS = 'frontend.shutdownFailHealthCheckDuration';

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

/** The least that frontends get to end calls in progress, before the time for which their health fails is cut too. */
const LEAST_DRAIN_SECONDS = 10;

/** The settings, with the drain of frontends cut to the time that they have; where even that is too short, it is said. */
export function fitToStopTimeout(
  settings: readonly RollSetting[],
  boundOf: (role: Role) => StopBound,
): { readonly settings: readonly RollSetting[]; readonly limits: readonly Reason[] } {
  const { settings: fitting, limits } = fitFrontend(settings, boundOf('frontend'));
  const killed = (['frontend', 'history', 'matching'] as const)
    .map((role) => ({ role, bound: boundOf(role) }))
    .filter(({ role, bound }) => stopSeconds(role, fitting) > allowedBy(bound))
    .map(({ role, bound: { by, ms } }) =>
      reason(
        'killed-while-stopping',
        `a ${role} process may take ${needed(role, fitting)} to stop, and ${by} kills it after ${formatDuration(ms)}: what is in progress then fails`,
      ),
    );
  return { settings: fitting, limits: [...limits, ...killed] };
}

function fitFrontend(settings: readonly RollSetting[], bound: StopBound): ReturnType<typeof fitToStopTimeout> {
  const allowed = allowedBy(bound);
  if (stopSeconds('frontend', settings) <= allowed) return { settings, limits: [] };
  // A pod is killed on the second, whatever it does: then a shorter time of failing health leaves some for the calls in progress.
  const health = settings.find(({ key }) => key === HEALTH_FAILS);
  const room = Math.max(1, allowed - LEAST_DRAIN_SECONDS);
  const cutsHealth = bound.by === 'terminationGracePeriodSeconds' && secondsOf(health) > room;
  const fails = cutsHealth ? set(settings, health, room) : settings;
  const drain = fails.find(({ key }) => key === DRAIN);
  const over = stopSeconds('frontend', fails) - allowed;
  const cutTo = Math.max(1, secondsOf(drain) - over);
  const because = `as ${bound.by} is ${formatDuration(bound.ms)}; ${needed('frontend', settings)} would do`;
  return {
    settings: over > 0 ? set(fails, drain, cutTo) : fails,
    limits: [
      ...(health === undefined || !cutsHealth
        ? []
        : [
            reason(
              'health-cut',
              `the health of a stopping frontend fails for ${room} s instead of ${seconds(health)}, ${because}`,
            ),
          ]),
      ...(drain === undefined || over <= 0
        ? []
        : [
            reason(
              'drain-cut',
              `frontends get ${cutTo} s instead of ${seconds(drain)} to end the calls in progress, ${because}, and no long poll would be cut`,
            ),
          ]),
    ],
  };
}

/** Until it should be done, in seconds. */
function allowedBy({ ms }: StopBound): number {
  return Math.floor(ms / 1_000) - MARGIN_SECONDS;
}

function set(settings: readonly RollSetting[], wanted: RollSetting | undefined, to: number): readonly RollSetting[] {
  return settings.map((one) => (one === wanted ? { ...one, value: `${to}s` } : one));
}

function secondsOf(setting: RollSetting | undefined): number {
  return Number.parseInt(setting?.value ?? '0', 10);
}

function seconds({ value }: RollSetting): string {
  return value.replace('s', ' s');
}

function needed(role: Role, settings: readonly RollSetting[]): string {
  return `${Math.ceil(stopSeconds(role, settings) + MARGIN_SECONDS)} s`;
}

function reason(id: string, text: string): Reason {
  return { id, text, source: 'Stop of each service in the server’s source, and driver.stopTimeout of the input' };
}
