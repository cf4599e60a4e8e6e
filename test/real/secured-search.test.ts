import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SEARCH_SCRIPTS } from '../../src/adapters/elasticsearch/search-inspect.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { ElasticsearchStore, type Tls } from '../../src/core/input/input.js';
import { clientTls, makeCertificates } from '../../src/lab/certificates.js';
import { startSearch, type LabSearch } from '../../src/lab/opensearch.js';
import { secureSearch, type SecuredSearch } from '../../src/lab/secured-search.js';
import { searchServer } from '../../src/lab/store-server.js';
import { failureOf } from '../helpers/failure-of.js';

/** An index behind TLS, by user and password or by an API key. */

const tools = createToolResolver();
const INDEX = 'visibility_secured';
const API_KEY = 'bGFiOmtleS1vZi10aGUtbGFi';
let folder: string;
let search: LabSearch;
let door: SecuredSearch;
let tls: Tls;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-secured-'));
  const certificates = await makeCertificates(join(folder, 'certificates'));
  tls = clientTls(certificates);
  for (const [name, secret] of Object.entries({ password: 'right', wrong: 'wrong', key: API_KEY })) {
    await writeFile(join(folder, name), secret, { mode: 0o600 });
  }
  search = await startSearch(join(folder, 'node'));
  await searchServer(search).setUp('visibility', INDEX, { version: '1.29.1', tools });
  const basic = `Basic ${Buffer.from('temporal:right').toString('base64')}`;
  door = await secureSearch(search.url, certificates, [basic, `ApiKey ${API_KEY}`]);
}, 900_000);
afterAll(async () => {
  await door?.close();
  await search?.stop();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

const byUser = () => ({ user: 'temporal', password: { file: join(folder, 'password') } });

function storeOf(over: object) {
  const input = ElasticsearchStore.parse({ type: 'elasticsearch', url: door.url, index: INDEX, ...over });
  return createStore(input, 'visibility', tools);
}

test('goes through TLS with everything: questions, template and backup, by user or by key', async () => {
  const asUser = storeOf({ tls: { ...tls, serverName: undefined }, ...byUser() });
  expect((await asUser.describe()).schemaVersion).toBe('v9');
  await asUser.updateSchema({ to: 'v13', serverVersion: '1.30.7' });
  const byKey = storeOf({ tls, apiKey: { file: join(folder, 'key') } });
  expect(await byKey.readSchemaVersion()).toBe('v13');
  expect((await byKey.backUp(join(folder, 'backup'))).bytes).toBeGreaterThan(0);
}, 120_000);

test('sees by a user all that a hop depends on; what it may do is told of, or said not to be', async () => {
  const rightsOf = async (roles?: readonly string[]) => {
    door.answers.clear();
    if (roles !== undefined) door.answers.set('/_plugins/_security/authinfo', { user_name: 'temporal', roles });
    const store = storeOf({ tls, ...byUser() });
    const survey = await store.survey({ folder: SEARCH_SCRIPTS, schemaTo: 'v14', backupDir: folder });
    expect(Object.entries(survey).filter(([, one]) => typeof one === 'object' && 'unseen' in one)).toEqual([]);
    return survey.rights;
  };
  expect(await rightsOf(['own_index', 'temporal_servers'])).toMatchObject({
    seen: { user: 'temporal', notTold: expect.stringContaining('own_index, temporal_servers') },
  });
  expect(await rightsOf(['all_access'])).toMatchObject({
    seen: { canCreateInSchema: true, tables: [{ canAlter: true }] },
  });
  expect(await rightsOf()).toMatchObject({ seen: { notTold: 'it has no security of its own that would tell' } });
}, 120_000);

test.each<[why: string, over: () => object, text: RegExp]>([
  ['no TLS settings', () => byUser(), /with these TLS settings: .*certificate/],
  [
    'another name',
    () => ({ ...byUser(), tls: { ...tls, serverName: 'other.name' } }),
    /with these TLS settings: .*other\.name/,
  ],
  ['no client certificate', () => ({ ...byUser(), tls: { serverCaFile: tls.serverCaFile } }), /cannot be reached/],
  [
    'a wrong password',
    () => ({ ...byUser(), tls, password: { file: join(folder, 'wrong') } }),
    /refuses who asks \(unable to authenticate\)/,
  ],
  ['a wrong key', () => ({ tls, apiKey: { file: join(folder, 'wrong') } }), /refuses who asks/],
  ['nobody', () => ({ tls }), /refuses who asks .*set or correct "user" and "password", or "apiKey"/],
])(
  'says what is wrong with %s',
  async (_why, over, text) => {
    const failure = await failureOf(storeOf(over()).describe());
    expect(failure.message).toMatch(text);
    expect(failure.message).not.toMatch(/right|bGFi/);
  },
  60_000,
);
