import { chown, copyFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { StoreInput, type Tls } from '../../src/core/input/input.js';
import { clientTls, makeCertificates, type Certificates } from '../../src/lab/certificates.js';
import { setUpDatabases } from '../../src/lab/databases.js';
import type { LabDatabase } from '../../src/lab/lab-database.js';
import { startMysql } from '../../src/lab/mysql.js';
import { startPostgres } from '../../src/lab/postgres.js';
import { databasesOf } from '../../src/lab/server-config.js';

/** Every store through TLS, with a certificate on both sides, on a server that admits nobody without. */

interface Files {
  readonly server: LabDatabase;
  readonly dataDir: string;
  readonly certificates: Certificates;
}

const CASES = [
  {
    name: 'PostgreSQL',
    start: () => startPostgres(),
    demandTls: demandTlsOfPostgres,
    /** A host that the certificate names. */
    host: '127.0.0.1',
    withoutTls: /does not admit user .*set "tls" if it demands TLS/,
  },
  {
    name: 'MySQL',
    start: () => startMysql(),
    demandTls: demandTlsOfMysql,
    host: 'localhost',
    withoutTls: /refuses user|demands TLS; set "tls"/,
  },
];

const tools = createToolResolver();
const names = databasesOf('tls');

describe.each(CASES)('$name', ({ start, demandTls, host, withoutTls }) => {
  let server: LabDatabase;
  let folder: string;
  let tls: Tls;

  beforeAll(async () => {
    const started = await start();
    server = started;
    folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-tls-'));
    process.env[server.binVariable] = server.binDir;
    await setUpDatabases(server, { clusterName: 'tls', version: '1.29.1', tools });
    const certificates = await makeCertificates(join(folder, 'certificates'));
    tls = clientTls(certificates);
    await demandTls({ server, dataDir: started.dataDir, certificates });
  }, 600_000);

  afterAll(async () => {
    delete process.env[server.binVariable];
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  function store(tlsOptions: StoreInput['tls'], at = host) {
    const { type, plugin, port, user, passwordFile } = server;
    const access = { type, plugin, host: at, port, user, password: { file: passwordFile } };
    const input = StoreInput.parse({ ...access, database: names.visibility, tls: tlsOptions });
    return createStore(input, 'visibility', tools);
  }

  test('goes through TLS with everything: questions, schema tool and backup', async () => {
    const { serverName, ...byHost } = tls;
    expect((await store(byHost).describe()).schemaVersion).toBe('1.9');
    await store(byHost).updateSchema({ to: '1.13', serverVersion: '1.30.7' });
    expect((await store(byHost).backUp(join(folder, 'by-host.dump'))).entries).toBeGreaterThan(2);

    // Expecting the name of the certificate, which is not the one that is connected to.
    const byName = store({ ...byHost, serverName }, '127.0.0.1');
    await byName.updateSchema({ to: '1.14', serverVersion: '1.31.2' });
    expect(await byName.readSchemaVersion()).toBe('1.14');
    expect((await byName.backUp(join(folder, 'by-name.dump'))).entries).toBeGreaterThan(2);
  }, 120_000);

  test.each<[why: string, options: () => StoreInput['tls'], text: () => RegExp]>([
    ['no TLS', () => undefined, () => withoutTls],
    ['an authority that is not known', () => true, () => /with these TLS settings: .*certificate/],
    ['another name', () => ({ ...tls, serverName: 'other.name' }), () => /with these TLS settings: .*other\.name/],
    ['no client certificate', () => ({ serverCaFile: tls.serverCaFile }), () => /certificate|refuses user/],
    ['a file that is not there', () => ({ serverCaFile: '/no/such.pem' }), () => /\/no\/such\.pem cannot be read/],
  ])('says what is wrong with %s', async (_why, options, text) => {
    await expect(store(options()).describe()).rejects.toThrow(text());
  });
});

/** From now on the server admits nobody without TLS and a client certificate of the lab's authority. */
async function demandTlsOfPostgres({ server, dataDir, certificates }: Files): Promise<void> {
  const { uid, gid } = await stat(dataDir);
  for (const [name, file] of Object.entries(databaseFiles(certificates))) {
    const copy = join(dataDir, `lab-${name}.pem`); // where the server's own user can read it
    await copyFile(file, copy);
    await chown(copy, uid, gid);
    await server.run('postgres', `alter system set ssl_${name}_file = '${copy}'`);
  }
  await server.run('postgres', 'alter system set ssl = on');
  await writeFile(join(dataDir, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n');
  await server.run('postgres', 'select pg_reload_conf()');
}

async function demandTlsOfMysql({ server, certificates }: Files): Promise<void> {
  for (const [name, file] of Object.entries(databaseFiles(certificates))) {
    await server.run('mysql', `set global ssl_${name} = '${file}'`);
  }
  await server.run('mysql', 'alter instance reload tls');
  await server.run('mysql', `alter user '${server.user}'@'%' require x509`);
}

function databaseFiles({ ca, serverCert: cert, serverKey: key }: Certificates) {
  return { ca, cert, key };
}
