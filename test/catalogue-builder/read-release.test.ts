import { describe, expect, test } from '@jest/globals';
import {
  readElasticsearchVersions,
  readGoVersion,
  readRetractions,
  readSqlPlugins,
} from '../../src/catalogue-builder/go-source.js';
import { readRelease } from '../../src/catalogue-builder/read-release.js';
import { MADE, madeSource, step } from '../helpers/server-source.js';

const read = (files: ReadonlyMap<string, string>) =>
  readRelease({ version: '1.33.0', files, from: 'folder', date: undefined });

test('reads constants, steps, plugins, Elasticsearch and Go', () => {
  const facts = read(madeSource());
  expect(facts.schema).toEqual({
    cassandra: { temporal: '1.13', visibility: null },
    mysql57: null,
    mysql8: { temporal: '1.19', visibility: '1.14' },
    postgresql: null,
    postgresql12: { temporal: '1.19', visibility: '1.14' },
    sqlite: { temporal: '0.11', visibility: '0.1' },
    elasticsearch: { visibilityTemplate: 'v14' },
  });
  const steps = facts.steps.map(({ store, version }) => `${store} ${version}`);
  expect(steps).toHaveLength(13 + 2 * (19 + 14)); // the first folder of each store sets it up
  expect(steps.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, index) => `cassandra/temporal 1.${index + 1}`));
  expect(facts.sqlPlugins).toEqual(['mysql8', 'postgres12', 'postgres12_pgx', 'sqlite']);
  expect(facts.esVersions).toEqual(['v7', 'v8']);
  expect(facts.goVersion).toBe('1.26.8');
});

describe('refuses, and says what it read,', () => {
  test('a constant that is not the highest folder', () => {
    expect(() => read(madeSource(MADE, step('mysql/v8/visibility', '1.15')))).toThrow(
      'release 1.33.0 cannot be read: schema/mysql/v8/version.go expects 1.14 of mysql/v8/visibility, but the highest ' +
        'folder of schema/mysql/v8/visibility/versioned is v1.15',
    );
    const behind = madeSource(MADE, { 'schema/cassandra/version.go': 'const Version = "1.14"' });
    expect(() => read(behind)).toThrow(/expects 1\.14 of cassandra\/temporal.* is v1\.13/);
  });

  test('a store that it does not know', () => {
    const files = madeSource(MADE, { 'schema/mysql/v9/version.go': 'const Version = "1.0"' });
    expect(() => read(files)).toThrow(/does not know: schema\/mysql\/v9\/version\.go/);
  });

  test('a constant in another form', () => {
    const files = madeSource(MADE, { 'schema/sqlite/version.go': 'const Version = next()' });
    expect(() => read(files)).toThrow(/gives Version as next\(\); expected a number/);
  });

  test('a manifest that is none, of another version, or with a script that is not there', () => {
    const path = 'schema/cassandra/temporal/versioned/v1.13/manifest.json';
    const with_ = (text: string) => madeSource(MADE, { [path]: text });
    expect(() => read(with_('{}'))).toThrow(/v1\.13\/manifest\.json is not a manifest/);
    expect(() => read(with_('{"CurrVersion":"1.12","Description":"","SchemaUpdateCqlFiles":[]}'))).toThrow(
      /says version 1\.12, but its folder is v1\.13/,
    );
    expect(() => read(with_('{"CurrVersion":"1.13","Description":"","SchemaUpdateCqlFiles":["a.cql"]}'))).toThrow(
      /no file schema\/cassandra\/temporal\/versioned\/v1\.13\/a\.cql/,
    );
  });

  test('no plugin, one without a name, and no Go version', () => {
    const plugin = 'common/persistence/sql/sqlplugin/sqlite/plugin.go';
    expect(() => readSqlPlugins(new Map())).toThrow('no SQL plugin is registered');
    expect(() => readSqlPlugins(new Map([[plugin, 'sql.RegisterPlugin(Name, p)']]))).toThrow(/by the name Name/);
    expect(() => readGoVersion('module x')).toThrow('no line "go"');
  });
});

test('the layouts of older releases', () => {
  const files = new Map(
    Object.entries({
      'go.mod': 'go 1.14\n',
      'schema/cassandra/version.go': 'const Version = "1.0"\nconst VisibilityVersion = "1.0"',
      ...step('cassandra/temporal', '1.0'),
      ...step('cassandra/visibility', '1.0'),
      'schema/mysql/version.go': 'const Version = "1.0"\nconst VisibilityVersion = "1.0"',
      ...step('mysql/v57/temporal', '1.0'),
      ...step('mysql/v57/visibility', '1.0'),
      'schema/postgres/version.go':
        'import "go.temporal.io/server/schema/mysql"\nconst Version = mysql.Version\nconst VisibilityVersion = mysql.VisibilityVersion',
      ...step('postgres/temporal', '1.0'),
      ...step('postgres/visibility', '1.0'),
      'common/persistence/sql/sqlplugin/mysql/plugin.go': 'sql.RegisterPlugin("mysql", p)',
      'common/service/dynamicconfig/constants.go': 'FrontendRPS: "frontend.rps",',
    }),
  );
  const { schema, steps, esVersions, dynamicKeys } = read(files);
  expect(dynamicKeys).toEqual(['frontend.rps']);
  expect(schema['postgresql']).toEqual({ temporal: '1.0', visibility: '1.0' });
  expect(schema['elasticsearch']).toEqual({ visibilityTemplate: null });
  expect(steps).toEqual([]);
  expect(esVersions).toBeNull();
});

test.each([
  ['go 1.21\n', '1.21'],
  ['go 1.22.3\n\ntoolchain go1.22.6\n', '1.22.6'],
  ['go 1.25.0\n\ntoolchain go1.24.1\n', '1.25.0'],
])('the Go that builds %j', (goMod, version) => {
  expect(readGoVersion(goMod)).toBe(version);
});

test('retractions: alone, in a block, as a range, with comments', () => {
  expect(readRetractions('go 1.21\nretract v1.2.3 // broken\n')).toEqual([{ from: '1.2.3', to: '1.2.3' }]);
  expect(readRetractions('retract (\n\tv1.30.0\n\t// all of them\n\t[v1.1.0, v1.1.4]\n)\n')).toEqual([
    { from: '1.30.0', to: '1.30.0' },
    { from: '1.1.0', to: '1.1.4' },
  ]);
  expect(() => readRetractions('retract v1.2\n')).toThrow('go.mod retracts v1.2');
});

test('versions of Elasticsearch, in any of the places that the client had', () => {
  const found = (path: string) => readElasticsearchVersions(new Map([[path, 'case "v6", "":\ncase "v7":\ncase 1:']]));
  expect(found('common/elasticsearch/client_factory.go')).toEqual(['v6', 'v7']);
  expect(found('common/persistence/elasticsearch/client/client_factory.go')).toEqual(['v6', 'v7']);
  expect(found('common/other.go')).toBeNull();
});
