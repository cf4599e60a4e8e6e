import type { Finding } from '../finding.js';
import { valueOf } from '../seen.js';
import type { ConnectionUse } from '../store-survey.js';
import type { Check, CheckContext } from '../survey.js';
import { type ReachedStore, reachedStores, stopsHop, SURVEY, unseenFinding } from './about-store.js';

const SOURCE = 'PostgreSQL documentation, Connections and Authentication: max_connections and what is reserved of it';

/** The roll-out's own at one time: one that holds the lock of the schema, the schema tool, and one that looks. */
const OWN_CONNECTIONS = 3;

/** The databases have connections left for the roll-out, and for the pools of all processes together. */
export const connections: Check = (survey, context) => {
  const stores = reachedStores(survey, context);
  const servers = Map.groupBy(stores, ({ store }) => valueOf(store.location)?.server ?? store.place);
  return [
    ...stores.flatMap((reached) => unseen(reached, context)),
    ...[...servers.values()].flatMap((same) => serverLimit(same, context)),
    ...stores.flatMap((reached) => databaseLimit(reached, context)),
  ];
};

function unseen({ store, name }: ReachedStore, { hop }: CheckContext): Finding[] {
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

/** All stores on one database server share what it has. */
function serverLimit(stores: readonly ReachedStore[], context: CheckContext): Finding[] {
  const use = stores.flatMap(({ store }) => valueOf(store.connections) ?? [])[0];
  if (use === undefined) return [];
  const names = stores.map(({ name }) => name).join(' and ');
  const limit = use.max - use.reserved;
  const what = `${use.max} connections less ${use.reserved} reserved`;
  const databases = stores.flatMap(({ store }) => valueOf(store.connections)?.database ?? []);
  return judge({ names, limit, what, use, databases, stores }, context);
}

/** Limits that were set for the user or the database alone. */
function databaseLimit(reached: ReachedStore, context: CheckContext): Finding[] {
  const use = valueOf(reached.store.connections);
  if (use === undefined) return [];
  const { user, database, inUse } = use;
  const stores = [reached];
  const limits = [
    {
      limit: use.userLimit,
      what: `CONNECTION LIMIT of user "${user}"`,
      inUse: inUse.filter((one) => one.user === user),
    },
    {
      limit: use.databaseLimit,
      what: `CONNECTION LIMIT of database "${database}"`,
      inUse: inUse.filter((one) => one.database === database),
    },
  ];
  return limits.flatMap(({ limit, what, inUse: counted }) =>
    limit === undefined
      ? []
      : judge(
          { names: reached.name, limit, what, use: { ...use, inUse: counted }, databases: [database], stores },
          context,
        ),
  );
}

interface Limit {
  readonly names: string;
  readonly limit: number;
  readonly what: string;
  readonly use: ConnectionUse;
  /** Of the target; who else is connected to the database server is counted on top of the pools. */
  readonly databases: readonly string[];
  readonly stores: readonly ReachedStore[];
}

function judge({ names, limit, what, use, databases, stores }: Limit, context: CheckContext): Finding[] {
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
  const others = count(use.inUse.filter(({ database }) => !databases.includes(database)));
  if (wanted + others + OWN_CONNECTIONS <= limit) return [];
  return [
    {
      id: 'connections-headroom',
      severity: 'warn',
      found: `${names}: the pools of all server processes may open ${wanted} connections, others hold ${others}, and the roll-out takes ${OWN_CONNECTIONS}`,
      expected: `at most ${limit} (${what})`,
      action: 'Raise max_connections, or lower maxConns of the processes, so that old and new ones fit at one time',
      source: SOURCE,
    },
  ];
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
