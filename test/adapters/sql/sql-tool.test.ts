import { expect, test } from '@jest/globals';
import { libpqEnvironment } from '../../../src/adapters/postgres/pg-backup.js';
import {
  bringSchemaTool,
  scriptsFolder,
  sqlToolEnvironment,
  updateSchemaArguments,
} from '../../../src/adapters/sql/sql-tool.js';
import type { ToolResolver } from '../../../src/adapters/tools/tools.js';
import { PostgresStore } from '../../../src/core/input/input.js';

const store = (over: Record<string, unknown> = {}) =>
  PostgresStore.parse({ type: 'postgresql', host: 'db.example.com', database: 'temporal', user: 'temporal', ...over });

test('gives the schema tool its scripts and version, and nothing that hides or skips', () => {
  const scripts = ['--schema-name', 'postgresql/v12/temporal'] as const;
  expect(updateSchemaArguments({ scripts }, '1.19')).toEqual(['update-schema', ...scripts, '--version', '1.19']);
  expect(updateSchemaArguments({ scripts })).toEqual(['update-schema', ...scripts]);
});

test.each([
  ['1.23.0', ['--schema-name', 'postgresql/v12/visibility'], 0],
  ['1.22.7', ['--schema-dir', '/scripts/1.22.7/postgresql/v12/visibility'], 1],
])('takes the scripts of %s from %j', async (serverVersion, scripts, brought) => {
  const asked: string[] = [];
  const tools: ToolResolver = {
    temporalCli: () => Promise.reject(new Error('nobody asks for it')),
    serverTool: (tool, version) => Promise.resolve(`/tools/${version}/${tool}`),
    lookForServerTool: () => Promise.reject(new Error('nobody asks for it')),
    schemaScripts: (store, version) => {
      asked.push(store);
      return Promise.resolve(`/scripts/${version}/${store}`);
    },
  };
  expect(await bringSchemaTool(tools, { folder: scriptsFolder(store(), 'visibility'), serverVersion }, {})).toEqual({
    program: `/tools/${serverVersion}/temporal-sql-tool`,
    scripts,
  });
  expect(asked).toHaveLength(brought);
});

test('gives settings by environment', () => {
  expect(sqlToolEnvironment(store({ port: 6432, plugin: 'postgres12_pgx' }), 'pass word')).toEqual({
    SQL_PLUGIN: 'postgres12_pgx',
    SQL_HOST: 'db.example.com',
    SQL_PORT: '6432',
    SQL_USER: 'temporal',
    SQL_DATABASE: 'temporal',
    SQL_PASSWORD: 'pass word',
    SQL_CONNECT_ATTRIBUTES: 'application_name=temporal-upgrade-schema',
  });
});

test.each(['::1', '[::1]'])('writes the IPv6 host %s in brackets for the tool, and without for libpq', (host) => {
  expect(sqlToolEnvironment(store({ host }), undefined)['SQL_HOST']).toBe('[::1]');
  expect(libpqEnvironment(store({ host }), undefined, 15)['PGHOST']).toBe('::1');
});

test('verifies the host name with TLS, and the authority alone when another name is expected', () => {
  const tls = { serverCaFile: '/ca.pem', clientCertFile: '/crt.pem', clientKeyFile: '/key.pem' };
  expect(sqlToolEnvironment(store({ tls }), undefined)).toMatchObject({
    SQL_TLS: 'true',
    SQL_TLS_CA_FILE: '/ca.pem',
    SQL_TLS_CERT_FILE: '/crt.pem',
    SQL_TLS_KEY_FILE: '/key.pem',
  });
  expect(sqlToolEnvironment(store({ tls }), undefined)).not.toHaveProperty('SQL_TLS_DISABLE_HOST_VERIFICATION');
  expect(libpqEnvironment(store({ tls }), undefined, 15)).toMatchObject({
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: '/ca.pem',
  });
  const other = store({ tls: { ...tls, serverName: 'inner' } });
  expect(sqlToolEnvironment(other, undefined)['SQL_TLS_DISABLE_HOST_VERIFICATION']).toBe('true');
  expect(libpqEnvironment(other, undefined, 15)['PGSSLMODE']).toBe('verify-ca');
});

test('uses the authorities of the system where libpq can', () => {
  expect(libpqEnvironment(store({ tls: true }), undefined, 16)).toMatchObject({
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: 'system',
  });
  expect(libpqEnvironment(store({ tls: true }), undefined, 15)).toMatchObject({ PGSSLMODE: 'require' });
  expect(libpqEnvironment(store(), undefined, 15)).toMatchObject({ PGSSLMODE: 'disable' });
});
