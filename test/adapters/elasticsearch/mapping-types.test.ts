import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, expect, test } from '@jest/globals';
import { SEARCH_SCRIPTS } from '../../../src/adapters/elasticsearch/search-inspect.js';
import { createStore } from '../../../src/adapters/stores.js';
import { createToolResolver } from '../../../src/adapters/tools/tool-resolver.js';
import { ElasticsearchStore } from '../../../src/core/input/input.js';
import { failureOf } from '../../helpers/failure-of.js';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

/**
 * What a real Elasticsearch 6.8.23 answered, with template v1 of server 1.16. No server here: the lab has none of that age, as none of its
 * clusters could use it, and only how it is told apart is asked.
 */
const ANSWERS: Readonly<Record<string, object>> = {
  '/': {
    ...{ name: 'lab', cluster_name: 'lab', cluster_uuid: 'qAz3' },
    version: { number: '6.8.23', build_flavor: 'unknown', lucene_version: '7.7.3' },
  },
  '/visibility/_mapping': {
    visibility: { mappings: { _doc: { dynamic: 'false', properties: { NamespaceId: { type: 'keyword' } } } } },
  },
};

test('an index of Elasticsearch 6 is told as that, and not as one that is none of Temporal’s', async () => {
  server = createServer(({ url = '' }, response) => {
    const answer = ANSWERS[url];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { error: { type: 'not_found', reason: 'no such thing' }, status: 404 }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port, and not on a pipe
  const input = ElasticsearchStore.parse({
    type: 'elasticsearch',
    url: `http://127.0.0.1:${port}`,
    index: 'visibility',
  });
  const store = createStore(input, 'visibility', createToolResolver());
  const failure = await failureOf(store.describe());
  expect(failure.facts).toMatchObject({ reason: 'mapping-types' });
  expect(failure.message).toMatch(/as those of Elasticsearch 6 do.*Upgrade Elasticsearch first, to 7\.10 or later/);
  const survey = await store.survey({ folder: SEARCH_SCRIPTS, schemaTo: 'v2', backupDir: tmpdir() });
  expect(survey.database).toEqual({ seen: { product: 'Elasticsearch', version: '6.8.23' } });
  expect(survey.schemaVersion).toEqual({ unseen: failure.message });
  await store.close();
});
