import type { Finding } from '../finding.js';
import { valueOf } from '../survey/seen.js';
import type { ConnectionUse } from '../survey/store-survey.js';
import type { Check, CheckContext } from '../survey/survey.js';
import { type ReachedStore, reachedStores, stopsHop, SURVEY, unseenFinding } from './about-store.js';
import { wordsFor } from './database-words.js';

/** The roll-out's own at one time: one that holds the lock of the schema, the schema tool, and one that looks. */
const OWN_CONNECTIONS = 3;

/** The databases have connections left for the roll-out, and for the pools of all processes together. */
export const connections: Check = (survey, context) => {
  const stores = reachedStores(survey, context);
  const servers = Map.groupBy(stores, ({ store }) => valueOf(store.location)?.server ?? store.place);
  return [
    ...stores.flatMap((reached) => unseen(reached, context)),
    ...[...servers.values()].flatMap((same) => serverLimits(same, context)),
    ...stores.flatMap((reached) => databaseLimit(reached, context)),
  ];
};

function unseen({ store, name }: ReachedStore, { hop }: CheckContext): Finding[] {
  if (store.connections === undefined) return [];
  const use =
    'unseen' in store.connections ? [{ what: `connections of ${name}`, reason: store.connections.unseen }] : [];
  const reason = poolsUnseen(store);
  const pools =
    hop === undefined || reason === undefined ? [] : [{ what: `connection pools of the servers to ${name}`, reason }];
  return [...use, ...pools].map((each) =>
    unseenFinding('connections-unseen', 'warn', {
      ...each,
      action:
        'Add up by hand maxConns of every process, and see that all of them fit below max_connections at one time',
    }),
  );
}

function poolsUnseen({ maxConns }: ReachedStore['store']): string | undefined {
  if (maxConns === undefined) return 'nobody looked at the configuration of the processes';
  return 'unseen' in maxConns ? maxConns.unseen : undefined;
}

/** What all stores on one database server share: its connections, and those of a user. */
function serverLimits(stores: readonly ReachedStore[], context: CheckContext): Finding[] {
  const [use] = stores.flatMap(({ store }) => usedOf(store) ?? []);
  if (use === undefined) return [];
  const limit = use.max - use.reserved;
  const ofServer = judge({ limit, what: `${use.max} connections less ${use.reserved} reserved`, use, stores }, context);
  const byUser = Map.groupBy(stores, ({ store }) => usedOf(store)?.user);
  const ofUsers = [...byUser].flatMap(([user, same]) => {
    const own = same.flatMap(({ store }) => usedOf(store) ?? [])[0];
    if (user === undefined || own?.userLimit === undefined) return [];
    const inUse = own.inUse.filter((one) => one.user === user);
    const what = `CONNECTION LIMIT of user "${user}"`;
    return judge({ limit: own.userLimit, what, use: { ...own, inUse }, stores: same }, context);
  });
  return [...ofServer, ...ofUsers];
}

/** A limit that was set for the database alone. */
function databaseLimit(reached: ReachedStore, context: CheckContext): Finding[] {
  const use = usedOf(reached.store);
  if (use?.databaseLimit === undefined) return [];
  const inUse = use.inUse.filter(({ database }) => database === use.database);
  const what = `CONNECTION LIMIT of database "${use.database}"`;
  return judge({ limit: use.databaseLimit, what, use: { ...use, inUse }, stores: [reached] }, context);
}

interface Limit {
  readonly limit: number;
  readonly what: string;
  readonly use: ConnectionUse;
  readonly stores: readonly ReachedStore[];
}

function judge({ limit, what, use, stores }: Limit, context: CheckContext): Finding[] {
  const names = stores.map(({ name }) => name).join(' and ');
  const used = count(use.inUse);
  if (limit - used < OWN_CONNECTIONS) {
    return [
      {
        id: 'connections-exhausted',
        severity: stopsHop(context),
        found: `${names}: ${used} of ${limit} connections (${what}) are in use, most by ${topUsers(use)}`,
        expected: `at least ${OWN_CONNECTIONS} left for the roll-out itself`,
        action: 'Close sessions that nobody needs, lower the pools of others, or raise the limit',
        source: SURVEY,
      },
    ];
  }
  const pools = stores.flatMap(({ store }) => (store.maxConns && valueOf(store.maxConns)) ?? []);
  if (pools.length < stores.length) return [];
  const wanted = pools.reduce((total, one) => total + one, 0);
  // Who else is connected comes on top of the pools; the servers' own connections are part of them.
  const databases = stores.flatMap(({ store }) => valueOf(store.location)?.database ?? []);
  const others = count(use.inUse.filter(({ database }) => !databases.includes(database)));
  if (wanted + others + OWN_CONNECTIONS <= limit) return [];
  return [
    {
      id: 'connections-headroom',
      severity: 'warn',
      found: `${names}: the pools of all server processes may open ${wanted} connections, others hold ${others}, and the roll-out takes ${OWN_CONNECTIONS}`,
      expected: `at most ${limit} (${what})`,
      action: 'Raise max_connections, or lower maxConns of the processes, so that old and new ones fit at one time',
      source: stores[0] === undefined ? SURVEY : wordsFor(stores[0].store).connectionsSource,
    },
  ];
}

function usedOf({ connections: use }: ReachedStore['store']): ConnectionUse | undefined {
  return use && valueOf(use);
}

function count(all: ConnectionUse['inUse']): number {
  return all.reduce((total, one) => total + one.count, 0);
}

function topUsers({ inUse }: ConnectionUse): string {
  return inUse
    .slice(0, 3)
    .map(({ user, database, application, count: n }) => {
      const by = application === '' ? '' : ` by ${application}`;
      return `user "${user}" in database "${database}"${by} (${n})`;
    })
    .join(', ');
}
