import type { UnreachedNode } from '../cluster.js';
import type { Role } from '../input/input.js';
import type { Reason, RollSetting } from '../plan.js';
import type { RollRequest } from './roll-target.js';

/** The settings that can be written for some node of their role, and the nodes that get none of them, by what stands in the way. */
export function leaveOutUnreached(
  settings: readonly RollSetting[],
  { nodes, unreached = [] }: RollRequest,
): { readonly reached: readonly RollSetting[]; readonly limits: readonly Reason[] } {
  const missed = unreached.filter(({ role }) => settings.some((setting) => setting.role === readsKeysOf(role)));
  const count = (role: Role, among: readonly { readonly role: Role }[]) =>
    among.filter((one) => readsKeysOf(one.role) === role).length;
  const limits = [...Map.groupBy(missed, ({ reason }) => reason)].map(([reason, same]): Reason => ({
    id: 'settings-not-written',
    text: notWritten(same, reason),
    source: 'a look at the dynamic configuration from where the path was planned',
  }));
  return { reached: settings.filter(({ role }) => count(role, nodes) > count(role, missed)), limits };
}

function notWritten(nodes: readonly UnreachedNode[], reason: string): string {
  const names = nodes.map(({ node }) => node).join(', ');
  const [stop, its] = nodes.length === 1 ? ['stops', 'its'] : ['stop', 'their'];
  return `no setting is written for ${names}: ${reason}. What is read where the path was planned counts; ${nodes.length === 1 ? 'it' : 'they'} ${stop} by ${its} own settings, so set there what the plan would`;
}

/** The role whose keys a role reads: internal frontends are frontends to their settings. */
export function readsKeysOf(role: Role): Role {
  return role === 'internal-frontend' ? 'frontend' : role;
}
