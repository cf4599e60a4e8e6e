import { FAILS_SOURCE } from './key-moves.js';
import { leaveValue, moveValue, type Migration } from './migration.js';
import { cassandraStore, elasticsearchStore, sqlStore } from './store-values.js';
import { isMap, mapAt, valueAt, withoutValue, withValue, type Values } from './values.js';

const PERSISTENCE = 'server.config.persistence';
const DATASTORES = `${PERSISTENCE}.datastores`;
const SQL = 'driver: pluginName and driverName; host and port: connectAddr; database: databaseName';

/** Whether values have stores as charts up to 0.74.0 have them. */
export function hasOldStores(values: Values): boolean {
  const { default: main, visibility } = mapAt(values, PERSISTENCE);
  return isMap(main) || isMap(visibility);
}

/** Brings the stores from where charts up to 0.74.0 have them to `datastores`. `refused`: whether the chart fails on the old ones. */
export function moveStores(migration: Migration, refused: boolean): Migration {
  if (!hasOldStores(migration.values)) return moveSteps(migration, migration.values, refused);
  const moved = [moveAdditional, moveDefault, moveVisibility].reduce((done, move) => move(done, refused), migration);
  return moveSteps(moved, migration.values, refused);
}

/** They are given to the server as they are, before and after. */
function moveAdditional(migration: Migration): Migration {
  const from = `${PERSISTENCE}.additionalStores`;
  const source = 'templates/server-configmap.yaml of 0.74.0 and 1.0.0-rc.1';
  return Object.entries(mapAt(migration.values, from)).reduce((done, [name, store]) => {
    const moved = moveValue(done, { from: `${from}.${name}`, to: `${DATASTORES}.${name}`, refused: false, source });
    const isMain = name === 'default' || name === 'visibility';
    const hasPassword = isMap(store) && Object.values(store).some((driver) => isMap(driver) && 'password' in driver);
    if (isMain || !hasPassword) return moved;
    return leaveValue(moved, {
      key: `${DATASTORES}.${name}`,
      why: 'the chart takes the password out of every store but the default one and those of visibility',
      action: 'Use a store that needs none there, or keep the present chart version',
      stops: true,
      source: '"temporal.persistence.filterConfig" in templates/_helpers.tpl of 1.0.0-rc.1',
    });
  }, migration);
}

function moveDefault(migration: Migration, refused: boolean): Migration {
  const { values } = migration;
  const from = `${PERSISTENCE}.default`;
  const given = mapAt(values, from);
  const driver = given['driver'] ?? 'cassandra';
  if (isBundled(values, driver)) return migration; // said of its sub-chart
  const to = `${DATASTORES}.default`;
  const source = FAILS_SOURCE;
  if (driver === 'sql')
    return place(
      migration,
      { sql: sqlStore(mapAt(given, 'sql'), 'temporal') },
      { from, to, how: SQL, refused, source },
    );
  if (driver === 'cassandra')
    return place(migration, { cassandra: cassandraStore(mapAt(given, 'cassandra')) }, { from, to, refused, source });
  return moveValue(migration, { from, refused, source }); // "custom": it is one of the additional stores
}

function moveVisibility(migration: Migration, refused: boolean): Migration {
  const { values } = migration;
  const from = `${PERSISTENCE}.visibility`;
  const to = `${DATASTORES}.visibility`;
  const given = mapAt(values, from);
  const search = mapAt(values, 'elasticsearch');
  const source = FAILS_SOURCE;
  if (isSearchBundled(values)) return migration;
  if (search['external'] === true) {
    const how = 'host and port: url.host; scheme: url.scheme; visibilityIndex: indices.visibility';
    const move = { from: 'elasticsearch', to, how, refused, source };
    const placed = place(migration, { elasticsearch: elasticsearchStore(search) }, move);
    return moveValue(placed, { from, refused, source });
  }
  const driver = given['driver'] ?? 'cassandra';
  if (driver === 'sql' && !isBundled(values, 'sql', false))
    return place(
      migration,
      { sql: sqlStore(mapAt(given, 'sql'), 'temporal_visibility') },
      { from, to, how: SQL, refused, source },
    );
  if (driver !== 'cassandra') return migration;
  return leaveValue(migration, {
    key: from,
    why: 'Cassandra is no store of visibility any more',
    action: 'Move visibility to SQL or Elasticsearch first, with the present chart',
    stops: true,
    source: 'templates/_deprecations.tpl of 1.0.0; the server takes none since 1.24',
  });
}

function place(migration: Migration, store: Values, move: Parameters<typeof moveValue>[1] & { readonly to: string }) {
  const { from, to } = move;
  const isThere = isMap(valueAt(migration.values, to));
  const without = withoutValue(migration.values, from);
  return {
    ...migration,
    values: isThere ? without : withValue(without, to, store),
    moved: [...migration.moved, move],
  };
}

/** Whether the old chart has its default store in a sub-chart: whatever the store's own fields say, that one counts. */
export function isBundled(values: Values, driver: unknown, cassandra = true): boolean {
  if (cassandra && valueAt(values, 'cassandra.enabled') !== false) return true; // true in its values.yaml
  return driver === 'sql' && ['mysql', 'postgresql'].some((key) => valueAt(values, `${key}.enabled`) === true);
}

/** Whether visibility is in the Elasticsearch that comes with the old chart: `enabled` is true in its values.yaml. */
export function isSearchBundled(values: Values): boolean {
  const { enabled, external, host } = mapAt(values, 'elasticsearch');
  return enabled !== false && (external !== true || host === undefined);
}

/** Three switches for all stores have become two of each. Unset means true, before and after. */
function moveSteps(migration: Migration, before: Values, refused: boolean): Migration {
  const old = ['createDatabase', 'setup', 'update'].filter((key) => valueAt(before, `schema.${key}`) !== undefined);
  if (old.length === 0 && !hasOldStores(before)) return migration;
  const isOn = (key: string) => valueAt(before, `schema.${key}.enabled`) !== false;
  const steps = { createDatabase: isOn('createDatabase'), manageSchema: isOn('setup') || isOn('update') };
  const values = mainStores(migration.values).reduce<Values>(
    (done, store) => withSteps(done, store, steps),
    migration.values,
  );
  return old.reduce<Migration>(
    (done, key) => {
      const to = key === 'createDatabase' ? 'createDatabase' : 'manageSchema';
      return {
        values: withoutValue(done.values, `schema.${key}`),
        moved: [...done.moved, { from: `schema.${key}`, to: `${to} of each store`, refused, source: FAILS_SOURCE }],
        left: done.left,
      };
    },
    { ...migration, values },
  );
}

/** Paths of the default store and that of visibility, in the new shape. */
export function mainStores(values: Values): string[] {
  const named = mapAt(values, PERSISTENCE);
  return (['default', 'visibility'] as const).map((kind) => {
    const name = named[`${kind}Store`];
    return `${DATASTORES}.${typeof name === 'string' ? name : kind}`;
  });
}

function withSteps(values: Values, store: string, { createDatabase, manageSchema }: Record<string, boolean>): Values {
  return Object.entries(mapAt(values, store)).reduce<Values>((done, [driver, fields]) => {
    if (!isMap(fields) || !['sql', 'cassandra', 'elasticsearch'].includes(driver)) return done;
    // The chart refuses createDatabase of Elasticsearch (templates/server-job.yaml).
    const steps = driver === 'elasticsearch' ? { manageSchema } : { createDatabase, manageSchema };
    return withValue(done, `${store}.${driver}`, { ...steps, ...fields });
  }, values);
}
