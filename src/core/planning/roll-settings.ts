import type { Catalogue } from '../catalogue/catalogue.js';
import { dynamicKeysOf } from '../catalogue/dynamic-keys.js';
import type { RollSettingRule } from '../catalogue/roll-rules.js';
import { isIn } from '../catalogue/rule-parts.js';
import type { Role, RollPolicy, Target } from '../input/input.js';
import type { Path, RollSetting, RollSettings } from '../plan.js';
import { fitToStopTimeout } from './roll-stop-time.js';
import { rollLimits } from './roll-limits.js';

/** One replacement of the servers of a target, forward or back. */
export interface RollRequest extends RollTarget {
  readonly catalogue: Catalogue;
  /** Version of the processes that are stopped. */
  readonly stopping: string;
  /** Version of those that take their place. */
  readonly starting: string;
}

/** What a roll has to know of a target. */
export interface RollTarget {
  readonly nodes: readonly { readonly role: Role }[];
  readonly policy: RollPolicy;
  /** How long a process may take to stop before it is killed, in milliseconds. */
  readonly stopTimeoutMs: number;
  /** Keys that stand in the dynamic configuration of some node already, in any case of letters. */
  readonly keysSet?: readonly string[] | undefined;
}

/**
 * The settings that replacing these servers gently needs, and what cannot be had. A key is left to its default for a role of
 * one process: with nobody to take over, each second of draining is a second more of the gap.
 */
export function planRollSettings(request: RollRequest): RollSettings {
  const { nodes, policy, keysSet = [] } = request;
  const { style } = policy;
  if (style === 'asConfigured') return { style, settings: [], kept: [], limits: rollLimits(request, []) };
  const several = new Set(severalOf(nodes));
  const wanted = rulesOf(request)
    .filter(({ role }) => several.has(role))
    .map((rule) => settingOf(rule, policy));
  const set = new Set(keysSet.map((key) => key.toLowerCase()));
  const isSet = ({ key }: RollSetting) => set.has(key.toLowerCase());
  const { settings, limits } = fitToStopTimeout(
    wanted.filter((setting) => !isSet(setting)),
    request.stopTimeoutMs,
  );
  return { style, settings, kept: wanted.filter(isSet), limits: [...rollLimits(request, wanted), ...limits] };
}

/** What a roll has to know of a target, from its input. `keysSet` where its files were looked at. */
export function rollTargetOf({ driver }: Target, policy: RollPolicy, keysSet?: readonly string[]): RollTarget {
  return { nodes: driver.nodes, policy, stopTimeoutMs: driver.stopTimeout, keysSet };
}

/** The same path, each hop with what its roll sets. */
export function withRollSettings(path: Path, catalogue: Catalogue, target: RollTarget): Path {
  const hops = path.hops.map((hop) => ({
    ...hop,
    roll: planRollSettings({ ...target, catalogue, stopping: hop.from, starting: hop.to }),
  }));
  return { ...path, hops };
}

/** Roles with more than one process: while one is replaced, another serves. */
function severalOf(nodes: readonly { readonly role: Role }[]): Role[] {
  return [...Map.groupBy(nodes, ({ role }) => role)].filter(([, same]) => same.length > 1).map(([role]) => role);
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

function settingOf({ key, role, value, why, source }: RollSettingRule, { style, clients }: RollPolicy): RollSetting {
  const chosen = value[style === 'strict' ? 'strict' : 'careful'];
  return { key, value: typeof chosen === 'string' ? chosen : chosen[clients], role, why, source };
}
