import type { RollSettingRule } from '../catalogue/roll-rules.js';
import { formatDuration } from '../duration.js';
import type { Reason, RollSetting } from '../plan.js';
import { ageBound, type AgeNeeds, ageNeeds, drainFollows, followsAge, secondsOf } from './connection-age.js';
import type { RollRequest } from './roll-target.js';

/**
 * What a client can notice whose connection is open when its frontend closes; nothing where the health of a frontend fails for
 * longer than any connection lives. Their age is read when a frontend starts, so that it cannot be set for the roll.
 */
export function openConnections(
  request: RollRequest,
  { rules, settings }: { readonly rules: readonly RollSettingRule[]; readonly settings: readonly RollSetting[] },
): Reason[] {
  const fails = rules.find(({ connectionAge }) => connectionAge !== undefined);
  const needs = fails && ageNeeds(fails, request, drainFollows(rules));
  const set = settings.find(({ key }) => key === fails?.key);
  if (needs !== undefined && set !== undefined && secondsOf(set.value) >= needs.seconds) return [];
  return [
    {
      id: 'open-connections',
      text: `a call on a connection that is still open when its frontend closes can fail once; SDKs call again. ${whatWouldHelp(request, { needs, helps: advice(request, fails && ageBound(fails, request, drainFollows(rules))?.ageSeconds) })}`,
      source: 'service/frontend/fx.go at v1.31.2',
    },
  ];
}

interface Help {
  readonly needs: AgeNeeds | undefined;
  readonly helps: string;
}

function whatWouldHelp(request: RollRequest, { needs, helps }: Help): string {
  if (needs === undefined) return `Connections last 5 minutes by default: for no failed attempt at all ${helps}`;
  const { ageMs, seconds, atMostSeconds, bound } = needs;
  const lasts = `Connections last ${formatDuration(ageMs)} (frontend.keepAliveMaxConnectionAge), so the health of a stopping frontend would have to fail for ${seconds} s`;
  if (seconds > atMostSeconds)
    return `${lasts}; ${bound} leaves ${atMostSeconds} s. For no failed attempt at all ${helps}`;
  if (followsAge(needs, request)) return `${lasts}; what was to be written for that is not`;
  return `${lasts}, which ${request.policy.style} does not wait for. For no failed attempt at all choose the style strict, or ${helps}`;
}

/** An age that these servers can outlive, at most that which default settings follow. */
function advice({ catalogue }: RollRequest, ageSeconds = 0): string {
  const age = Math.min(secondsOf(catalogue.rules.roll.connectionAge?.carefulUpTo ?? '0s'), ageSeconds);
  // Under that, connections would be made anew all the time.
  if (age < LEAST_AGE_SECONDS) return 'a longer driver.stopTimeout is needed first';
  return `set frontend.keepAliveMaxConnectionAge to ${age}s and restart the frontends once before the roll-out, as it is read at start`;
}

const LEAST_AGE_SECONDS = 10;
