import type { Finding } from '../finding.js';
import { valueOf } from '../survey/seen.js';
import type { Check } from '../survey/survey.js';
import { type ReachedStore, partName, reachedStores, unseenFinding } from './about-store.js';

const SHARED_SOURCE = 'issue #7657 and docker-builds #215: two stores collide on the one row of schema_version';
const KIND_SOURCE = 'issue #4046: the scripts of one kind of store fail on the tables of the other';

/** Each database holds the tables of its own store, and of no other. */
export const storeTables: Check = (survey, context) => {
  const stores = reachedStores(survey, context);
  return [...sharedDatabases(stores), ...stores.flatMap(ownTables)];
};

/** Databases with the tables of both kinds, each told once, whatever names it is reached by. */
function sharedDatabases(stores: readonly ReachedStore[]): Finding[] {
  const shared = stores.filter(({ store }) => {
    const tables = valueOf(store.tables);
    return tables?.default === true && tables.visibility;
  });
  const byLocation = Map.groupBy(shared, ({ store }) => JSON.stringify(valueOf(store.location) ?? store.place));
  return [...byLocation.values()].map((same) => ({
    id: 'shared-database',
    severity: 'block',
    found: `${same.map(({ name }) => name).join(' and ')} has the tables of the default and of the visibility store`,
    expected: 'a database for each, as one row of schema_version cannot keep two schema versions',
    action:
      'Stop the servers, move executions_visibility with its row of schema_version into a database of its own, and name that in the configuration of the servers and in the input',
    source: SHARED_SOURCE,
  }));
}

function ownTables({ part, store, name }: ReachedStore): Finding[] {
  if ('unseen' in store.tables) {
    return [
      unseenFinding('store-tables-unseen', 'block', {
        what: `tables of ${name}`,
        reason: store.tables.unseen,
        action: 'Let this user read the catalogs of the database',
      }),
    ];
  }
  const { default: hasDefault, visibility: hasVisibility } = store.tables.seen;
  if (hasDefault && hasVisibility) return [];
  const isOwn = part === 'default' ? hasDefault : hasVisibility;
  if (isOwn) return [];
  const other = hasDefault ? 'default' : 'visibility';
  const isEmpty = !hasDefault && !hasVisibility;
  return [
    {
      id: isEmpty ? 'store-empty' : 'store-mixed-up',
      severity: 'block',
      found: isEmpty
        ? `${name} has none of the tables of a Temporal store that this user can see (shards, executions, executions_visibility)`
        : `${name} has the tables of the ${other} store`,
      expected: `those of the ${partName(part)} store`,
      action: isEmpty
        ? 'Correct "database" or "user" of the store in the input; an upgrade never sets up a schema'
        : 'Correct "database" of the stores in the input: are the two mixed up?',
      source: KIND_SOURCE,
    },
  ];
}
