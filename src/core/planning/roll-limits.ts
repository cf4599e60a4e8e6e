import { dynamicKeysOf } from '../catalogue/dynamic-keys.js';
import { isIn } from '../catalogue/rule-parts.js';
import type { Role } from '../input/input.js';
import type { Reason } from '../plan.js';
import { minorOf } from '../version.js';
import { singleRoles } from './roll-order.js';
import type { RollRequest } from './roll-target.js';

const SINGLE_SOURCE = 'Stop and Start of each service in the server’s source';

/** What happens to clients while the only process of a role is replaced; it is stopped at once to keep the gap short. */
const GAPS: Readonly<Partial<Record<Role, string>>> = {
  frontend:
    'no call is answered from its stop until the new one serves: a few seconds, which clients try again through',
  history:
    'no workflow goes on from its stop until the new one holds its shards: a few seconds in which calls are tried again and some run into their deadline',
  matching:
    'no task is handed out from its stop until the new one serves: a second or two, in which polls fail and come again',
};

/** What cannot be zero while these servers are replaced, each with the shortest gap instead. */
export function rollLimits(request: RollRequest): Reason[] {
  const { catalogue, nodes, policy, stopping, starting } = request;
  const single = singleRoles(nodes);
  const gaps = single.map((role): Reason => ({
    id: 'single-process',
    text: `${role} has one process: ${GAPS[role] ?? ''}. It drains nothing, as nobody takes over; two processes would have no gap`,
    source: SINGLE_SOURCE,
  }));
  if (policy.style === 'asConfigured') {
    const text = 'nothing is set: servers stop and start as they are configured, and their defaults do not drain';
    return [...gaps, { id: 'as-configured', text, source: 'policy.roll.style of the input' }];
  }
  const versions = { stopping, starting };
  const old = catalogue.rules.roll.limits
    .filter(({ role, of, servers }) => isIn(versions[of], servers) && hasSeveral(nodes, role))
    .map(({ id, role, of, fact, source }): Reason => ({ id, text: `${role} of ${versions[of]} ${fact}`, source }));
  return [...gaps, ...old, ...unknownKeys(request)];
}

function hasSeveral(nodes: RollRequest['nodes'], wanted: Role): boolean {
  return nodes.filter(({ role }) => role === wanted).length > 1;
}

/** Nobody has read which keys a version knows: then nothing is set for it, rather than a guess. */
function unknownKeys({ catalogue, stopping, starting }: RollRequest): Reason[] {
  return [stopping, starting]
    .filter((version) => dynamicKeysOf(catalogue.dynamicKeys, version) === undefined)
    .map((version) => ({
      id: 'keys-not-known',
      text: `the catalogue does not know which settings ${minorOf(version)} reads, so none is set for it; servers stop by their defaults`,
      source: 'dynamicKeys of the catalogue',
    }));
}
