import { expect, test } from '@jest/globals';
import { libpqEnvironment } from '../../../src/adapters/postgres/pg-backup.js';
import {
  checkToolVersion,
  sqlToolEnvironment,
  updateSchemaArguments,
} from '../../../src/adapters/postgres/sql-tool.js';
import { PostgresStore } from '../../../src/core/input.js';

const store = (over: Record<string, unknown> = {}) =>
  PostgresStore.parse({ type: 'postgresql', host: 'db.example.com', database: 'temporal', user: 'temporal', ...over });

test('gives the schema tool its directory and version, and nothing that hides or skips', () => {
  expect(updateSchemaArguments('default', '1.19')).toEqual([
    'update-schema',
    '--schema-name',
    'postgresql/v12/temporal',
    '--version',
    '1.19',
  ]);
  expect(updateSchemaArguments('visibility', '1.14')).toContain('postgresql/v12/visibility');
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

test('refuses schema tools that need a folder of scripts', () => {
  expect(() => checkToolVersion('1.22.4')).toThrow('1.23 and later can be done');
  expect(() => checkToolVersion('1.23.1')).not.toThrow();
});
