import type { Catalogue } from '../catalogue/catalogue.js';
import { dynamicKeysOf } from '../catalogue/dynamic-keys.js';
import type { RollSettingRule } from '../catalogue/roll-rules.js';
import { isIn } from '../catalogue/rule-parts.js';
import { formatDuration } from '../duration.js';
import type { Role } from '../input/input.js';
import type { Path, RollSetting, RollSettings } from '../plan.js';
import { ageNeeds, drainFollows, followsAge, secondsOf } from './connection-age.js';
import { openConnections } from './open-connections.js';
import { rollPace } from './roll-pace.js';
import { stopBoundOf } from './roll-stop-bound.js';
import { fitToStopTimeout } from './roll-stop-time.js';
import { rollLimits } from './roll-limits.js';
import { type RollNode, singleRoles } from './roll-order.js';
import type { RollRequest, RollTarget } from './roll-target.js';
import { leaveOutUnreached } from './unreached-nodes.js';

/**
 * The settings that replacing these servers gently needs, and what cannot be had. A key is left to its default for a role of
 * one process: with nobody to take over, each second of draining is a second more of the gap.
 */
export function planRollSettings(request: RollRequest): RollSettings {
  const { nodes, policy, isFound, keysSet = [] } = request;
  const { style } = policy;
  const pace = rollPace(nodes, policy);
  const gaps = isFound === true ? { gaps: singleRoles(nodes) } : {};
  if (style === 'asConfigured') return { style, settings: [], kept: [], limits: rollLimits(request), pace, ...gaps };
  const several = new Set(severalOf(nodes));
  const rules = rulesOf(request).filter(({ role }) => several.has(role));
  const wanted = rules.map((rule) => settingOf(rule, request, rules));
  const set = new Set(keysSet.map((key) => key.toLowerCase()));
  const isSet = ({ key }: RollSetting) => set.has(key.toLowerCase());
  const kept = wanted.filter(isSet);
  const { reached, limits: unwritten } = leaveOutUnreached(
    wanted.filter((setting) => !isSet(setting)),
    request,
  );
  const { settings, limits } = fitToStopTimeout(reached, (role) => stopBoundOf(request, role));
  const connections = wanted.some(({ role }) => role === 'frontend')
    ? openConnections(request, { rules, settings: reached })
    : [];
  return {
    style,
    settings,
    kept,
    limits: [...rollLimits(request), ...connections, ...unwritten, ...limits],
    pace,
    ...gaps,
  };
}

/** The same path, each hop with what its roll sets. */
export function withRollSettings(path: Path, catalogue: Catalogue, target: RollTarget): Path {
  const hops = path.hops.map((hop) => ({
    ...hop,
    roll: planRollSettings({ ...target, catalogue, stopping: hop.from, starting: hop.to }),
  }));
  return { ...path, hops };
}

/** Roles of which another process serves while one is replaced: with more than one, or whose successor comes before it goes. */
function severalOf(nodes: readonly RollNode[]): Role[] {
  return [...Map.groupBy(nodes, ({ role }) => role)]
    .filter(([, same]) => same.length > 1 || same.some(({ surge }) => surge === true))
    .map(([role]) => role);
}

/** The rules that hold for these two versions. A rule in place of another one gives way to it. */
function rulesOf({ catalogue, stopping, starting }: RollRequest): RollSettingRule[] {
  const known = { stopping, starting };
  const reads = (rule: RollSettingRule, by: keyof typeof known) =>
    isIn(known[by], rule.servers) &&
    dynamicKeysOf(catalogue.dynamicKeys, known[by])?.has(rule.key.toLowerCase()) === true;
  // A version that does not know a key passes over it: silently up to 1.24, with a warning in its log from 1.25 on
  // (common/dynamicconfig/file_based_client.go). So only `both` has to be known to both.
  const holding = catalogue.rules.roll.settings.filter((rule) =>
    rule.readBy === 'both' ? reads(rule, 'stopping') && reads(rule, 'starting') : reads(rule, rule.readBy),
  );
  return holding.filter(({ insteadOf }) => !holding.some(({ key }) => key === insteadOf));
}

function settingOf(rule: RollSettingRule, request: RollRequest, rules: readonly RollSettingRule[]): RollSetting {
  const { style, clients } = request.policy;
  const { key, role, why, source } = rule;
  const chosen = rule.value[style === 'strict' ? 'strict' : 'careful'];
  const value = typeof chosen === 'string' ? chosen : chosen[clients];
  const needs = ageNeeds(rule, request, drainFollows(rules));
  if (needs === undefined || !followsAge(needs, request) || needs.seconds > needs.atMostSeconds)
    return { key, value, role, why, source };
  return {
    key,
    value: `${Math.max(secondsOf(value), needs.seconds)}s`,
    role,
    why: `${why}; longer than a connection lives, ${formatDuration(needs.ageMs)} by the dynamic configuration`,
    source,
  };
}
