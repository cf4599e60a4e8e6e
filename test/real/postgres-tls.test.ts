import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chown, copyFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { PG_BIN_VARIABLE } from '../../src/adapters/postgres/pg-programs.js';
import { createPostgresStore } from '../../src/adapters/postgres/postgres-store.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { PostgresStore, Tls } from '../../src/core/input/input.js';
import { clientTls, makeCertificates } from '../../src/lab/certificates.js';
import { setUpDatabases } from '../../src/lab/databases.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { databasesOf } from '../../src/lab/server-config.js';

const tools = createToolResolver();
const names = databasesOf('tls');
let postgres: LabPostgres;
let folder: string;
let tls: Tls;

beforeAll(async () => {
  postgres = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-tls-'));
  process.env[PG_BIN_VARIABLE] = postgres.binDir;
  await setUpDatabases(postgres, { clusterName: 'tls', version: '1.29.1', tools });
  const certificates = await makeCertificates(join(folder, 'certificates'));
  tls = clientTls(certificates);
  await demandTls({ ca: certificates.ca, cert: certificates.serverCert, key: certificates.serverKey });
}, 120_000);

afterAll(async () => {
  delete process.env[PG_BIN_VARIABLE];
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

/** From now on the server admits nobody without TLS and a client certificate of the lab's authority. */
async function demandTls(files: Readonly<Record<'ca' | 'cert' | 'key', string>>): Promise<void> {
  const { host, port, user, password, dataDir } = postgres;
  const { uid, gid } = await stat(dataDir);
  const client = new pg.Client({ host, port, user, password, database: 'postgres' });
  await client.connect();
  for (const [name, file] of Object.entries(files)) {
    const copy = join(dataDir, `lab-${name}.pem`); // where the server's own user can read it
    await copyFile(file, copy);
    await chown(copy, uid, gid);
    await client.query(`alter system set ssl_${name}_file = '${copy}'`);
  }
  await client.query('alter system set ssl = on');
  await writeFile(join(dataDir, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n');
  await client.query('select pg_reload_conf()');
  await client.end();
}

function store(tlsOptions: PostgresStore['tls']) {
  const { host, port, user, passwordFile } = postgres;
  const input: PostgresStore = {
    type: 'postgresql',
    plugin: 'postgres12',
    host,
    port,
    user,
    database: names.visibility,
    password: { file: passwordFile },
    tls: tlsOptions,
  };
  return createPostgresStore(input, 'visibility', tools);
}

test('goes through TLS with everything: questions, schema tool and backup', async () => {
  const { serverName, ...byHost } = tls;
  expect((await store(byHost).describe()).schemaVersion).toBe('1.9');
  await store(byHost).updateSchema({ to: '1.13', serverVersion: '1.30.7' });
  expect((await store(byHost).backUp(join(folder, 'by-host.dump'))).entries).toBeGreaterThan(5);

  // Expecting the name of the certificate, which is not the one that is connected to.
  const byName = store({ ...byHost, serverName });
  await byName.updateSchema({ to: '1.14', serverVersion: '1.31.2' });
  expect(await byName.readSchemaVersion()).toBe('1.14');
  expect((await byName.backUp(join(folder, 'by-name.dump'))).entries).toBeGreaterThan(5);
}, 120_000);

test.each<[why: string, options: () => PostgresStore['tls'], text: RegExp]>([
  ['no TLS', () => undefined, /does not admit user .*set "tls" if it demands TLS/],
  ['an authority that is not known', () => true, /with these TLS settings: .*certificate/],
  ['another name', () => ({ ...tls, serverName: 'other.name' }), /with these TLS settings: .*other\.name/],
  ['no client certificate', () => ({ serverCaFile: tls.serverCaFile }), /certificate/],
  ['a file that is not there', () => ({ serverCaFile: '/no/such.pem' }), /\/no\/such\.pem cannot be read/],
])('says what is wrong with %s', async (_why, options, text) => {
  await expect(store(options()).describe()).rejects.toThrow(text);
});
