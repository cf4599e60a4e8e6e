import type { ClusterSurvey } from '../survey/cluster-survey.js';
import type { Finding } from '../finding.js';
import type { MemberRow } from '../survey/store-survey.js';
import type { Check } from '../survey/survey.js';
import { countOf } from '../count-of.js';
import { fewOf } from './words.js';
import { downAddresses } from './who-runs.js';

const SOURCE =
  'table cluster_membership; common/membership/ringpop/monitor.go; temporalio/temporal issues #9987 and #5394';
/** A process writes its row every ten to thirteen seconds; others take it for alive within twenty. */
const STALE_AFTER_MS = 60_000;

/** The table that a process reads when it starts holds those that run. */
export const checkMembership: Check = ({ cluster, stores }) => {
  const membership = stores.default?.cluster?.members;
  if (membership === undefined) return []; // no store of its own kind was looked at
  if ('unseen' in membership) return [unseen(membership.unseen)];
  const now = Date.parse(membership.seen.readAt);
  const isExpired = (row: MemberRow): boolean => Date.parse(row.recordExpiry) < now;
  const isFresh = (row: MemberRow): boolean => now - Date.parse(row.lastHeartbeat) <= STALE_AFTER_MS;
  const live = membership.seen.rows.filter((row) => !isExpired(row));
  const place = placeOf(cluster);
  const isStranger = strangersIn(cluster);
  return [
    ...live.filter((row) => isFresh(row) && place(row.address) === 'unknown' && !isStranger(row)).map(zombie),
    ...stale(
      live.filter((row) => place(row.address) === 'down' || (!isFresh(row) && place(row.address) === 'unknown')),
    ),
    ...expired(membership.seen.rows.filter(isExpired)),
  ];
};

/** Whether a process of the input runs at a ring address. Where some configuration is not known, its host has to do. */
function placeOf(cluster: ClusterSurvey): (ringAddress: string) => 'runs' | 'down' | 'unknown' {
  const down = downAddresses(cluster);
  const known = new Map<string, 'runs' | 'down'>();
  const hosts = new Map<string, 'runs' | 'down'>();
  for (const { rpcAddress, configuration } of cluster.processes) {
    const state = down.has(rpcAddress) ? 'down' : 'runs';
    const address = 'seen' in configuration ? configuration.seen.ringAddress : undefined;
    if (address === undefined) hosts.set(hostOf(rpcAddress), state);
    else known.set(address, state);
  }
  return (ringAddress) => known.get(ringAddress) ?? hosts.get(hostOf(ringAddress)) ?? 'unknown';
}

/** Whether a row is that of a process that a ring has and the input does not name: the check of rings tells of it. */
function strangersIn({ strangers }: ClusterSurvey): (row: MemberRow) => boolean {
  return ({ role, address }) => strangers.some((one) => one.role === role && hostOf(one.address) === hostOf(address));
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}

function unseen(reason: string): Finding {
  return {
    id: 'membership-unseen',
    severity: 'warn',
    found: `the members that the database has are not known: ${reason}`,
    expected: 'the rows of cluster_membership',
    action: 'Let the user of the input read that table',
    source: SOURCE,
  };
}

function zombie({ role, address, lastHeartbeat }: MemberRow): Finding {
  return {
    id: 'membership-zombie',
    severity: 'warn',
    found: `cluster_membership has a ${role} at ${address} that wrote itself at ${lastHeartbeat}, and no process of the input is there`,
    expected: 'rows of processes of the input',
    action:
      'Find what writes it: a process of the cluster that the input does not name, or one of another cluster on the same database. A process that starts now would join it',
    source: SOURCE,
  };
}

/** They stay for two days after a process has gone; only those at which nothing runs any more may be dialled in vain. */
function stale(rows: readonly MemberRow[]): Finding[] {
  if (rows.length === 0) return [];
  return [
    {
      id: 'membership-stale',
      severity: 'note',
      found: `cluster_membership has ${countOf(rows.length, 'row')} of processes that have gone and not expired yet: ${fewOf(rows.map(({ role, address }) => `${role} ${address}`))}`,
      action: 'Nothing, as long as no ring has them; they expire 48 hours after their last heartbeat',
      source: SOURCE,
    },
  ];
}

function expired(rows: readonly MemberRow[]): Finding[] {
  if (rows.length === 0) return [];
  return [
    {
      id: 'membership-expired',
      severity: 'note',
      found: `cluster_membership has ${countOf(rows.length, 'row')} past its time: ${fewOf(rows.map(({ role, address }) => `${role} ${address}`))}`,
      action: 'Nothing: the servers take such rows away, ten at a time',
      source: SOURCE,
    },
  ];
}
