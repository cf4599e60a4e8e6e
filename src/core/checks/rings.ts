import type { ClusterSurvey } from '../survey/cluster-survey.js';
import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';
import { downAddresses, notDown } from './who-runs.js';
import { groupBy, listed, unseenOf } from './words.js';

const SOURCE = 'ring of each frontend (AdminService.DescribeCluster); temporalio/temporal issues #9987 and #5394';

/** Every frontend sees the processes of the input that run, and nothing else. */
export const checkRings: Check = (survey, context) => {
  const { cluster } = survey;
  const views = viewsOf(cluster);
  return [
    ...unseenRings(cluster, context.hop !== undefined),
    ...zombies(cluster, views),
    ...strangers(cluster, views),
    ...missing(cluster, views),
    ...split(cluster, views),
  ];
};

interface View {
  readonly frontend: string;
  readonly rings: Readonly<Record<string, readonly string[]>>;
}

function viewsOf({ rings: views }: ClusterSurvey): readonly View[] {
  return views.flatMap(({ frontend, rings }) => ('seen' in rings ? [{ frontend, rings: rings.seen }] : []));
}

function unseenRings(cluster: ClusterSurvey, inHop: boolean): Finding[] {
  const down = downAddresses(cluster);
  const asked = cluster.rings.filter(({ frontend }) => !down.has(frontend));
  return [
    ...unseenOf(
      asked,
      ({ rings }) => rings,
      ({ frontend }) => frontend,
    ),
  ].map(([reason, frontends]) => ({
    id: 'rings-unseen',
    severity: inHop ? 'block' : 'warn',
    found: `the rings as frontend ${listed(frontends)} sees them are not known: ${reason}`,
    expected: 'the members of every role, as every frontend sees them',
    action: 'Correct what the reason names',
    source: SOURCE,
  }));
}

/** Who sees `address` in the ring of `role`. */
function seenBy(views: readonly View[], role: string, address: string): readonly string[] {
  return views.filter(({ rings }) => rings[role]?.includes(address) === true).map(({ frontend }) => frontend);
}

/** In the ring, and nothing runs there. */
function zombies(cluster: ClusterSurvey, views: readonly View[]): Finding[] {
  const down = downAddresses(cluster);
  const ofInput = cluster.processes
    .filter(({ rpcAddress }) => down.has(rpcAddress))
    .map(({ name, role, rpcAddress }) => ({ role, address: rpcAddress, what: `${name}, which does not run` }));
  const ofNobody = cluster.strangers
    .filter(({ health }) => 'seen' in health && health.seen === 'UNREACHABLE')
    .map(({ role, address }) => ({ role, address, what: 'which the input does not name and where nothing answers' }));
  return [...ofInput, ...ofNobody].flatMap(({ role, address, what }): Finding[] => {
    const frontends = seenBy(views, role, address);
    if (frontends.length === 0) return [];
    return [
      {
        id: 'ring-zombie',
        severity: 'block',
        found: `the ring of ${role} has ${address}, ${what}; seen by frontend ${listed(frontends)}`,
        expected: 'members that run',
        action:
          'Wait a minute and look again: a member that died leaves the ring by itself. One that stays is dialled and calls fail; restart the processes that still see it, one after the other',
        source: SOURCE,
      },
    ];
  });
}

/** In the ring, alive, and not of the input: it would stay behind on the old version. */
function strangers(cluster: ClusterSurvey, views: readonly View[]): Finding[] {
  return cluster.strangers.flatMap(({ role, address, health }): Finding[] => {
    if ('seen' in health && health.seen === 'UNREACHABLE') return [];
    const how = 'seen' in health ? health.seen : `health unknown: ${health.unseen}`;
    return [
      {
        id: 'ring-stranger',
        severity: 'block',
        found: `the ring of ${role} has ${address} (${how}), which the input does not name; seen by frontend ${listed(seenBy(views, role, address))}`,
        expected: 'members that the input names, as every process has to be upgraded',
        action: 'Add it to the nodes of the input, or stop it if it does not belong to this cluster',
        source: SOURCE,
      },
    ];
  });
}

/** It runs, and no frontend sees it. */
function missing(cluster: ClusterSurvey, views: readonly View[]): Finding[] {
  if (views.length === 0) return [];
  return notDown(cluster).flatMap(({ name, role, rpcAddress }): Finding[] => {
    if (seenBy(views, role, rpcAddress).length > 0) return [];
    const members = views[0]?.rings[role] ?? [];
    return [
      {
        id: 'ring-missing',
        severity: 'block',
        found: `${name} (${rpcAddress}) is in the ring of ${role} of no frontend; its members are ${members.length === 0 ? 'none' : listed(members)}`,
        expected: 'every process of the role in its ring',
        action:
          'See that the other processes reach its membership port and broadcastAddress; one that has just begun may need a minute',
        source: SOURCE,
      },
    ];
  });
}

/** Frontends that see different ones of the processes that run: calls go astray between them. */
function split(cluster: ClusterSurvey, views: readonly View[]): Finding[] {
  const alive = notDown(cluster);
  const roles = [...new Set(alive.map(({ role }) => role))];
  return roles.flatMap((role): Finding[] => {
    const nameOf = (address: string) => alive.find(({ rpcAddress }) => rpcAddress === address)?.name;
    const sights = groupBy(
      views,
      ({ rings }) => (rings[role] ?? []).flatMap((address) => nameOf(address) ?? []).join(', ') || 'nobody',
      ({ frontend }) => frontend,
    );
    if (sights.size <= 1) return [];
    const each = [...sights].map(([members, frontends]) => `frontend ${listed(frontends)} sees ${members}`);
    return [
      {
        id: 'rings-differ',
        severity: 'block',
        found: `the ring of ${role} is split: ${each.join('; ')}`,
        expected: 'the same members, whoever is asked',
        action:
          'Wait a minute and look again; if it stays so, restart the processes that see too few, one after the other',
        source: SOURCE,
      },
    ];
  });
}
