import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { CassandraStore, type Tls } from '../../src/core/input/input.js';
import { CASSANDRA_USER, startCassandra, type LabCassandra } from '../../src/lab/cassandra.js';
import { clientTls, makeCertificates } from '../../src/lab/certificates.js';
import { cassandraServer } from '../../src/lab/store-server.js';
import { failureOf } from '../helpers/failure-of.js';

/** A keyspace on a node that admits nobody without TLS, a certificate of a client and a password. */

const tools = createToolResolver();
const KEYSPACE = 'secured';
let folder: string;
let cassandra: LabCassandra;
let tls: Tls;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-secured-'));
  const certificates = await makeCertificates(join(folder, 'certificates'));
  tls = clientTls(certificates);
  await writeFile(join(folder, 'password'), CASSANDRA_USER.password, { mode: 0o600 });
  await writeFile(join(folder, 'wrong'), 'wrong', { mode: 0o600 });
  const node = join(folder, 'node');
  // Set up while it admits everybody; the same data then stands behind TLS.
  const open = await startCassandra(node);
  await cassandraServer(open).setUp('default', KEYSPACE, { version: '1.28.1', tools });
  await open.stop();
  cassandra = await startCassandra(node, { certificates });
}, 900_000);
afterAll(async () => {
  await cassandra?.stop();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

function storeOf(over: object) {
  const access = { user: CASSANDRA_USER.user, password: { file: join(folder, 'password') } };
  const input = { ...cassandraServer(cassandra).inputOf(KEYSPACE), ...access, ...over };
  return createStore(CassandraStore.parse(input), 'default', tools);
}

test('goes through TLS with everything: questions, schema tool, backup, samples', async () => {
  const store = storeOf({ tls: { ...tls, serverName: undefined } });
  expect((await store.describe()).schemaVersion).toBe('1.12');
  await store.updateSchema({ to: '1.13', serverVersion: '1.29.1' });
  expect(await store.readSchemaVersion()).toBe('1.13');
  expect((await store.backUp(join(folder, 'backup'))).entries).toBeGreaterThan(2);
  expect((await store.measure(20_000)).queryMs).toBeGreaterThan(0);
  expect((await store.measure(20_000)).queryMs).toBeGreaterThan(0);
  await store.close();
}, 180_000);

test('expecting the name in the certificate', async () => {
  expect(await storeOf({ tls }).readSchemaVersion()).toMatch(/^1\.1[23]$/);
}, 60_000);

test.each<[why: string, over: () => object, text: RegExp]>([
  ['no TLS', () => ({}), /cannot be reached/],
  ['an authority that is not known', () => ({ tls: true }), /with these TLS settings: .*certificate/],
  ['another name', () => ({ tls: { ...tls, serverName: 'other.name' } }), /with these TLS settings: .*other\.name/],
  ['no client certificate', () => ({ tls: { serverCaFile: tls.serverCaFile } }), /cannot be reached/],
  [
    'a wrong password',
    () => ({ tls, password: { file: join(folder, 'wrong') } }),
    /refuses the password of user "cassandra"/,
  ],
  ['no user', () => ({ tls, user: undefined, password: undefined }), /demands a user/],
])(
  'says what is wrong with %s',
  async (_why, over, text) => {
    expect((await failureOf(storeOf(over()).describe())).message).toMatch(text);
  },
  60_000,
);
