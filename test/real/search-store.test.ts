import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { documentId } from '../../src/adapters/elasticsearch/documents.js';
import { withSearch, type SearchClient } from '../../src/adapters/elasticsearch/search-connection.js';
import { SEARCH_SCRIPTS, TEMPLATE } from '../../src/adapters/elasticsearch/search-inspect.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { ElasticsearchStore } from '../../src/core/input/input.js';
import type { StoredRun } from '../../src/core/restoring/compare-runs.js';
import { startSearch, type LabSearch, type SearchRelease } from '../../src/lab/opensearch.js';
import { searchServer } from '../../src/lab/store-server.js';
import { testEveryStore } from '../helpers/every-store.js';
import { failureOf } from '../helpers/failure-of.js';
import { heldDoor } from '../helpers/held-door.js';

/** A visibility index on real search servers. */

const OLD = '1.29.1';
const TIMEOUT_MS = 180_000;
const tools = createToolResolver();
const CASES: readonly { readonly release: SearchRelease; readonly product: string }[] = [
  { release: 'opensearch2', product: 'OpenSearch 2.18.0' },
  { release: 'elasticsearch7', product: 'Elasticsearch 7.17.28' },
];
const NAMESPACE = '32049b68-7872-4094-8e63-d0dd59896a83';

describe.each(CASES)('$product', ({ release, product }) => {
  let server: LabSearch;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-search-'));
    server = await startSearch(join(folder, 'node'), release);
  }, 900_000);
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }, TIMEOUT_MS);

  testEveryStore(product, {
    part: 'visibility',
    product: new RegExp(`^${product.replaceAll('.', '\\.')}$`),
    server: () => searchServer(server),
    elsewhere: (input, port) => ElasticsearchStore.parse({ ...input, url: `http://127.0.0.1:${port}` }),
  });

  const inputOf = (index: string, over: object = {}) =>
    ElasticsearchStore.parse({ ...searchServer(server).inputOf(index), ...over });
  const inIndex = <T>(index: string, work: (client: SearchClient) => Promise<T>) => withSearch(inputOf(index), work);

  /** An index of its own, by the template of 1.29.1. */
  async function freshStore(name: string) {
    // A name that the template does not match: it would give the fields of one test to the index of the next.
    const index = `visibility_${name}`;
    await searchServer(server).setUp('visibility', index, { version: OLD, tools });
    return { index, store: createStore(inputOf(index), 'visibility', tools) };
  }

  const addField = (index: string, name: string, type: string) =>
    inIndex(index, (client) =>
      client.send('PUT', { path: `/${index}/_mapping`, body: { properties: { [name]: { type } } } }, z.unknown()),
    );

  test(
    'describes an index and brings it to the template of a hop; again is nothing, and back is refused',
    async () => {
      const { index, store } = await freshStore('hops');
      expect(await store.describe()).toEqual({
        product,
        database: index,
        schemaVersion: 'v9',
        bytes: expect.any(Number),
      });
      await addField(index, 'OrderNumber', 'long');
      await store.updateSchema({ to: 'v13', serverVersion: '1.30.7' });
      expect(await store.readSchemaVersion()).toBe('v13');
      await store.updateSchema({ to: 'v13', serverVersion: '1.30.7' });
      await store.updateSchema({ to: 'v14', serverVersion: '1.31.2' });
      expect(await store.readSchemaVersion()).toBe('v14');
      await expect(store.updateSchema({ to: 'v13', serverVersion: '1.30.7' })).rejects.toThrow(
        /^schema too new: .* has schema v14, newer than the v13/,
      );
      const mapping = await inIndex(index, (client) =>
        client.get(`/${index}/_mapping`, z.record(z.string(), z.unknown())),
      );
      expect(JSON.stringify(mapping)).toContain('"OrderNumber":{"type":"long"}');
      // Indexes that are made from now on have all of it from the template.
      const next = 'temporal_visibility_v1_next';
      await inIndex(next, (client) => client.send('PUT', { path: `/${next}`, body: {} }, z.unknown()));
      expect(await createStore(inputOf(next), 'visibility', tools).readSchemaVersion()).toBe('v14');
    },
    TIMEOUT_MS,
  );

  test(
    'finds nothing wrong with the fields of a template, and sees all that a hop depends on',
    async () => {
      const { index, store } = await freshStore('survey');
      await addField(index, 'OrderNumber', 'long');
      const survey = await store.survey({ folder: SEARCH_SCRIPTS, schemaTo: 'v13', backupDir: folder });
      expect(survey.shape).toEqual({ seen: [] });
      expect(survey.scripts).toEqual({
        seen: { from: 'v9', to: 'v13', changes: [index], creates: [], rewrites: [], missing: [] },
      });
      expect(survey.search).toEqual({
        seen: { status: 'green', dataNodes: 1, unassignedShards: 0 },
      });
      expect(survey.mode).toEqual({ seen: { inRecovery: false, readOnly: false } });
      expect(Object.entries(survey).filter(([, one]) => typeof one === 'object' && 'unseen' in one)).toEqual([]);
      expect((await store.measure(10_000)).queryMs).toBeGreaterThan(0);
      await inIndex(index, (client) =>
        client.send('PUT', { path: `/${index}/_settings`, body: { 'index.blocks.write': true } }, z.unknown()),
      );
      expect((await store.survey({ folder: SEARCH_SCRIPTS, backupDir: folder })).mode).toEqual({
        seen: { inRecovery: false, readOnly: true },
      });
    },
    TIMEOUT_MS,
  );

  test(
    'settings of an owner stay, of the index and of the template: copies, and those of his template are told',
    async () => {
      const { index, store } = await freshStore('owned');
      const look = async () => {
        const { searchTemplate } = await store.survey({ folder: SEARCH_SCRIPTS, backupDir: folder });
        return searchTemplate !== undefined && 'seen' in searchTemplate ? searchTemplate.seen : undefined;
      };
      await inIndex(index, async (client) => {
        const copies = { index: { number_of_replicas: 2, auto_expand_replicas: false } };
        await client.send('PUT', { path: `/${index}/_settings`, body: copies }, z.unknown());
        const properties = { OrderNumber: { type: 'long' }, WorkflowId: { type: 'text' } };
        const template = { index_patterns: ['of_owner*'], settings: { index: { number_of_replicas: 2 } } };
        const body = { ...template, order: 3, mappings: { properties } };
        await client.send('PUT', { path: `/_template/${TEMPLATE}`, body }, z.unknown());
      });
      const before = await look();
      expect(before?.otherwise).toEqual(['WorkflowId is text, expected keyword']);
      expect(before?.lacks).toContain('RunId (keyword)');
      expect(before?.ownSettings).toContain('index.number_of_replicas is "2", and "0" in that of the servers');
      await store.updateSchema({ to: 'v13', serverVersion: '1.30.7' });
      expect(await look()).toMatchObject({ lacks: [], otherwise: [], ownSettings: before?.ownSettings });
      const Settings = z.record(z.string(), z.object({ settings: z.record(z.string(), z.unknown()) }));
      const settings = await inIndex(index, (client) =>
        client.get(`/${index}/_settings`, Settings, { flat_settings: true }),
      );
      expect(settings[index]?.settings).toMatchObject({ 'index.number_of_replicas': '2' });
      // An index made from now on is the owner's, with the fields of the servers.
      await inIndex('of_owner_1', (client) => client.send('PUT', { path: '/of_owner_1', body: {} }, z.unknown()));
      expect(await createStore(inputOf('of_owner_1'), 'visibility', tools).readSchemaVersion()).toBe('v13');
      await inIndex(index, (client) => client.send('DELETE', { path: `/_template/${TEMPLATE}` }, z.unknown()));
      expect(await look()).toMatchObject({ present: false });
    },
    TIMEOUT_MS,
  );

  test(
    'a search server that dies between the two requests of an update: the next try finishes it',
    async () => {
      const { index, store } = await freshStore('between');
      const held = await heldDoor(
        server.url,
        ({ method, url }) => method === 'PUT' && url?.endsWith('/_mapping') === true,
      );
      const through = createStore(inputOf(index, { url: held.url }), 'visibility', tools);
      const update = failureOf(through.updateSchema({ to: 'v13', serverVersion: '1.30.7' }));
      await held.arrived;
      await server.kill();
      await held.close();
      expect((await update).facts).toMatchObject({ reason: 'unreachable' });
      server = await startSearch(join(folder, 'node'), release);
      const again = createStore(inputOf(index), 'visibility', tools);
      expect(await again.readSchemaVersion()).toBe('v9'); // the index says so, whatever the template has
      await store.close();
      await again.updateSchema({ to: 'v13', serverVersion: '1.30.7' });
      expect(await again.readSchemaVersion()).toBe('v13');
      const { searchTemplate, shape } = await again.survey({ folder: SEARCH_SCRIPTS, backupDir: folder });
      expect(shape).toEqual({ seen: [] });
      expect(searchTemplate).toMatchObject({ seen: { present: true, lacks: [], otherwise: [] } });
    },
    TIMEOUT_MS,
  );

  test(
    'a field of another type stops the update, and is named',
    async () => {
      const { index, store } = await freshStore('otherwise');
      await addField(index, 'TemporalReportedProblems', 'text');
      await expect(store.updateSchema({ to: 'v13', serverVersion: '1.30.7' })).rejects.toThrow(
        /TemporalReportedProblems/,
      );
      expect(await store.readSchemaVersion()).toBe('v9');
    },
    TIMEOUT_MS,
  );

  test(
    'tells each reason apart',
    async () => {
      await inIndex('vacant', (client) => client.send('PUT', { path: '/vacant', body: {} }, z.unknown()));
      const cases: [reason: string, input: ElasticsearchStore, text: RegExp][] = [
        ['no-database', inputOf('nowhere'), /has no such index/],
        ['no-schema', inputOf('vacant'), /is no index of Temporal's visibility/],
        ['unreachable', inputOf('vacant', { url: 'http://127.0.0.1:1' }), /cannot be reached/],
        ['tls', inputOf('vacant', { url: server.url.replace('http:', 'https:') }), /TLS settings/],
      ];
      for (const [reason, input, text] of cases) {
        const failure = await failureOf(createStore(input, 'visibility', tools).describe());
        expect(failure.message).toMatch(text);
        expect(failure.facts).toMatchObject({ reason });
      }
      expect(() => createStore(inputOf('vacant'), 'default', tools)).toThrow(/cannot be the default store/);
    },
    TIMEOUT_MS,
  );

  /** Runs of a namespace as the server writes them, with a number that has more digits than a double. */
  const documentOf = (run: StoredRun, status: string) => ({
    NamespaceId: run.namespaceId,
    WorkflowId: run.workflowId,
    RunId: run.runId,
    WorkflowType: 'order',
    ExecutionStatus: status,
    StartTime: '2026-11-21T11:33:07.108123456Z',
  });
  async function write(index: string, run: StoredRun, status: string, version: number): Promise<void> {
    const id = encodeURIComponent(documentId(run));
    await inIndex(index, (client) =>
      client.send(
        'PUT',
        {
          path: `/${index}/_doc/${id}`,
          query: { version, version_type: 'external', refresh: true },
          // As text: a number of that size is no number of JavaScript.
          body: JSON.stringify(documentOf(run, status)).replace(/}$/, ',"OrderNumber":9007199254740993}'),
        },
        z.unknown(),
      ),
    );
  }
  const runOf = (number: number, status = 1): StoredRun => ({
    namespaceId: NAMESPACE,
    workflowId: `order-${number}`,
    runId: `0198e2c4-0000-7000-8000-${String(number).padStart(12, '0')}`,
    status,
    rangeId: 3n,
  });
  const sourceOf = (index: string, run: StoredRun) =>
    inIndex(index, (client) =>
      client.get(
        `/${index}/_doc/${encodeURIComponent(documentId(run))}`,
        z.object({ _version: z.number(), _source: z.record(z.string(), z.unknown()) }),
      ),
    );

  test(
    'backs up every document, reads them back, keeps a whole backup and replaces a damaged one',
    async () => {
      const { index, store } = await freshStore('backup');
      for (let number = 0; number < 3; number += 1) await write(index, runOf(number), 'Running', 1_048_577);
      const file = join(folder, 'backups', 'visibility.dump');
      const first = await store.backUp(file);
      expect(first).toMatchObject({ file, bytes: (await stat(file)).size, entries: 4 });
      expect((await stat(file)).mode & 0o077).toBe(0);
      expect(await store.backUp(file)).toEqual(first);
      const handle = await open(file, 'r+');
      await handle.write(Buffer.from('damage'), 0, 6, 60);
      await handle.close();
      const order = { file, sha256: first.sha256, schema: 'v9', stamp: '20260101100000' };
      await failureOf(store.restore.checkBackup(order));
      expect((await store.backUp(file)).entries).toBe(4);
    },
    TIMEOUT_MS,
  );

  test(
    'goes back to a backup, brought in step with the default store',
    async () => {
      const { index, store } = await freshStore('back');
      await addField(index, 'OrderNumber', 'long');
      const runs = [0, 1, 2, 3].map((number) => runOf(number));
      const [kept, closedLater, startedLater, newer] = runs;
      if (kept === undefined || closedLater === undefined || startedLater === undefined || newer === undefined) return;
      await write(index, kept, 'Running', 1_048_577);
      await write(index, closedLater, 'Completed', 1_048_578);
      await write(index, startedLater, 'Running', 1_048_579);
      await write(index, newer, 'Running', 9 * 1_048_576);
      const file = join(folder, 'back.dump');
      const { sha256 } = await store.backUp(file);
      await store.updateSchema({ to: 'v13', serverVersion: '1.30.7' });
      await write(index, runOf(9), 'Running', 1_048_580);

      const order = { file, sha256, schema: 'v9', stamp: '20260101100000' };
      expect((await store.restore.findWay()).way).toBe('beside');
      expect((await store.restore.bring(order)).rows).toEqual({ documents: 4 });
      expect(await store.readSchemaVersion()).toBe('v13');
      // The default store says: one runs that was shown as closed, one is not there, one runs in an earlier range.
      const stored = async function* () {
        for (const run of [kept, closedLater, newer]) yield await Promise.resolve(run);
      };
      const listFile = join(folder, 'anew.jsonl');
      const step = { runs: stored(), listFile };
      expect(await store.restore.bringInStep(order, step)).toEqual({ removed: 1, corrected: 2 });
      expect(await store.restore.bringInStep(order, { runs: stored(), listFile })).toEqual({
        removed: 1,
        corrected: 2,
      });
      const place = await store.restore.takePlace(order);
      expect(place).toBe(`index ${index}_before_restore_20260101100000`);
      // Run again after it was killed.
      await store.restore.bring(order);
      expect(await store.restore.takePlace(order)).toBe(place);
      expect(await store.readSchemaVersion()).toBe('v9');
      const { _version, _source } = await sourceOf(index, kept);
      expect(_version).toBe(1_048_577);
      expect(_source['StartTime']).toBe('2026-11-21T11:33:07.108123456Z');
      expect(String(_source['OrderNumber'])).toBe('9007199254740993');
      await expect(sourceOf(index, startedLater)).rejects.toThrow();
      // The servers write what is running once more, by tasks of an earlier range.
      await write(index, newer, 'Running', 4 * 1_048_576);
      await write(index, closedLater, 'Running', 4 * 1_048_576 + 1);
      expect((await sourceOf(index, newer))._version).toBe(4 * 1_048_576);
      expect(await store.restore.countSince('2026-11-21T00:00:00.000Z')).toEqual([
        { namespaceId: NAMESPACE, started: 3, closed: 0, running: 0 },
      ]);
    },
    TIMEOUT_MS,
  );

  test(
    'killed as soon as the clone was begun: what it is made of stays until it is whole',
    async () => {
      const { index, store } = await freshStore('half_cloned');
      await write(index, runOf(1), 'Running', 1_048_577);
      const file = join(folder, 'half-cloned.dump');
      const order = { file, sha256: (await store.backUp(file)).sha256, schema: 'v9', stamp: '20260101100003' };
      await store.restore.bring(order);
      const restoring = `${index}_restoring`;
      // The next requests of a restore; no node may hold the clone, so that it stays as it is in the first moment.
      const nowhere = 'index.routing.allocation.require._name';
      const kept = `${index}_before_restore_${order.stamp}`;
      await inIndex(index, async (client) => {
        for (const each of [index, restoring]) {
          const blocked = { path: `/${each}/_settings`, body: { 'index.blocks.write': true } };
          await client.send('PUT', blocked, z.unknown());
        }
        await client.send('PUT', { path: `/${index}/_clone/${kept}`, body: {} }, z.unknown());
        await client.send('DELETE', { path: `/${index}` }, z.unknown());
        const clone = { path: `/${restoring}/_clone/${index}`, query: { wait_for_active_shards: '0' } };
        await client.send('PUT', { ...clone, body: { settings: { [nowhere]: 'nobody' } } }, z.unknown());
      });

      const waits = Promise.withResolvers<undefined>();
      const again = store.restore.takePlace(order, {
        onProgress: (line) => {
          if (line.includes('is being cloned')) waits.resolve(undefined);
        },
      });
      await Promise.race([waits.promise, again]);
      expect(await inIndex(restoring, (client) => client.has(`/${restoring}`))).toBe(true);
      await inIndex(index, (client) =>
        client.send('PUT', { path: `/${index}/_settings`, body: { [nowhere]: null } }, z.unknown()),
      );
      expect(await again).toBe(`index ${kept}`);
      expect((await sourceOf(index, runOf(1)))._version).toBe(1_048_577);
      expect(await inIndex(restoring, (client) => client.has(`/${restoring}`))).toBe(false);
    },
    TIMEOUT_MS,
  );

  test(
    'goes through an alias: upgraded and backed up either way, and its restore is refused',
    async () => {
      const { index } = await freshStore('behind_alias');
      const alias = 'visibility_alias';
      await inIndex(index, (client) => client.send('PUT', { path: `/${index}/_alias/${alias}` }, z.unknown()));
      const settings = { type: 'fs', settings: { location: join(server.snapshotDir, `${release}-alias`) } };
      await inIndex(index, (client) => client.send('PUT', { path: '/_snapshot/alias', body: settings }, z.unknown()));
      for (const [name, over] of Object.entries({ documents: {}, snapshot: { snapshotRepository: 'alias' } })) {
        const store = createStore(inputOf(alias, over), 'visibility', tools);
        const file = join(folder, `alias-${name}.dump`);
        const { sha256 } = await store.backUp(file);
        const order = { file, sha256, schema: await store.readSchemaVersion(), stamp: '20260101100002' };
        await store.restore.checkBackup(order);
        const refused = /"visibility_alias" is an alias of visibility_behind_alias/;
        expect((await failureOf(store.restore.findWay())).message).toMatch(refused);
        expect((await failureOf(store.restore.bring(order))).message).toMatch(refused);
        await store.updateSchema({ to: 'v13', serverVersion: '1.30.7' });
        const survey = await store.survey({ folder: SEARCH_SCRIPTS, backupDir: folder });
        expect(Object.entries(survey).filter(([, one]) => typeof one === 'object' && 'unseen' in one)).toEqual([]);
      }
      expect(await createStore(inputOf(index), 'visibility', tools).readSchemaVersion()).toBe('v13');
      await freshStore('second');
      await inIndex(index, (client) => client.send('PUT', { path: `/visibility_second/_alias/${alias}` }, z.unknown()));
      const of = createStore(inputOf(alias), 'visibility', tools);
      expect((await failureOf(of.describe())).message).toMatch(/stands for 2 indexes/);
    },
    TIMEOUT_MS,
  );

  test(
    'backs up into a snapshot repository, and comes back from it',
    async () => {
      const { index } = await freshStore('repository');
      const input = inputOf(index, { snapshotRepository: 'kept' });
      const store = createStore(input, 'visibility', tools);
      await write(index, runOf(1), 'Running', 1_048_577);
      const file = join(folder, 'repository.dump');
      expect((await failureOf(store.backUp(file))).message).toContain('there is no snapshot repository "kept"');
      const settings = { type: 'fs', settings: { location: join(server.snapshotDir, release) } };
      await inIndex(index, (client) => client.send('PUT', { path: '/_snapshot/kept', body: settings }, z.unknown()));
      const { sha256 } = await store.backUp(file);
      expect(await store.backUp(file)).toMatchObject({ sha256 });
      await write(index, runOf(2), 'Running', 1_048_578);
      const order = { file, sha256, schema: 'v9', stamp: '20260101100001' };
      await store.restore.bring(order);
      const place = await store.restore.takePlace(order);
      expect(place).toBe(`index ${index}_before_restore_20260101100001`);
      expect((await sourceOf(index, runOf(1)))._version).toBe(1_048_577);
      await expect(sourceOf(index, runOf(2))).rejects.toThrow();
      await write(index, runOf(2), 'Running', 5); // it can be written again
      const { snapshot } = JSON.parse(await readFile(file, 'utf8')) as { snapshot: string };
      await inIndex(index, (client) => client.send('DELETE', { path: `/_snapshot/kept/${snapshot}` }, z.unknown()));
      expect((await failureOf(store.restore.checkBackup(order))).message).toContain('has no snapshot');
    },
    TIMEOUT_MS,
  );
});

test('the id of a long workflow id is cut as the server cuts it', () => {
  const run = { workflowId: `${'ä'.repeat(300)}`, runId: '0198e2c4-0000-7000-8000-000000000000' };
  const id = documentId(run);
  expect(Buffer.byteLength(id)).toBeLessThanOrEqual(512);
  expect(id.endsWith(`~${run.runId}`)).toBe(true);
  expect(documentId({ ...run, workflowId: 'order-1' })).toBe(`order-1~${run.runId}`);
});
