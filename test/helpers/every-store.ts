import { once } from 'node:events';
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { databaseNameOf, pluginOf, type StoreInput } from '../../src/core/input/input.js';
import { storeKind } from '../../src/core/planning/present-state.js';
import { schemaFolder, schemaVersion } from '../../src/core/schema/schema-version.js';
import type { StoreServer } from '../../src/lab/store-server.js';
import { failureOf } from './failure-of.js';

/** Versions whose hops change every kind of store at least once. */
const [FIRST, ...LATER] = ['1.28.1', '1.29.1', '1.30.7', '1.31.2'] as const;
const TIMEOUT_MS = 180_000;
const tools = createToolResolver();

export interface StoreUnderTest {
  readonly part: 'default' | 'visibility';
  /** What `describe` calls it. */
  readonly product: RegExp;
  readonly server: () => StoreServer;
  /** The input of a server that is not there. */
  readonly elsewhere: (input: StoreInput, port: number) => StoreInput;
}

/** What holds for every store, whatever it is: asked of a real one. */
export function testEveryStore(name: string, { part, product, server, elsewhere }: StoreUnderTest): void {
  describe(`as every store: ${name}, ${part}`, () => {
    let folder: string;
    let catalogue: Awaited<ReturnType<typeof loadCatalogue>>;
    let number = 0;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'every-store-'));
      catalogue = await loadCatalogue();
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    const kindOf = (input: StoreInput) => storeKind(pluginOf(input));
    const schemaOf = (input: StoreInput, version: string) => schemaVersion(catalogue, version, kindOf(input), part);

    /** A database of its own, as 1.28.1 makes it. */
    async function fresh() {
      number += 1;
      const input = server().inputOf(`every_${part}_${number}`);
      await server().setUp(part, databaseNameOf(input), { version: FIRST, tools });
      return { input, store: createStore(input, part, tools) };
    }

    test(
      'is described, and goes from version to version: each once, in whichever try, and never back',
      async () => {
        const { input, store } = await fresh();
        expect(await store.describe()).toEqual({
          product: expect.stringMatching(product),
          database: databaseNameOf(input),
          schemaVersion: schemaOf(input, FIRST),
          bytes: expect.any(Number),
        });
        for (const serverVersion of LATER) {
          const step = { to: schemaOf(input, serverVersion), serverVersion };
          await store.prepareUpdate(serverVersion);
          await Promise.all([store.updateSchema(step), store.updateSchema(step)]);
          expect(await store.readSchemaVersion()).toBe(step.to);
          expect(await store.updateSchema(step)).toEqual([]);
        }
        const back = store.updateSchema({ to: schemaOf(input, FIRST), serverVersion: FIRST });
        expect((await failureOf(back)).facts).toMatchObject({ reason: 'schema-too-new' });
      },
      TIMEOUT_MS,
    );

    test(
      'is seen whole before each hop, and differs nowhere from what its version should be',
      async () => {
        const { input, store } = await fresh();
        const folderOf = schemaFolder(catalogue, kindOf(input), part);
        for (const [index, serverVersion] of LATER.entries()) {
          const schemaTo = schemaOf(input, serverVersion);
          const survey = await store.survey({ folder: folderOf, schemaTo, backupDir: folder });
          expect(survey.schemaVersion).toEqual({ seen: schemaOf(input, LATER[index - 1] ?? FIRST) });
          expect(survey.shape).toEqual({ seen: [] });
          expect(survey.invalidIndexes).toEqual({ seen: [] });
          expect(survey.mode).toEqual({ seen: { inRecovery: false, readOnly: false } });
          expect(survey.scripts === undefined || 'seen' in survey.scripts).toBe(true);
          for (const one of [survey.rights, survey.bytes, survey.backup.program, survey.backup.space]) {
            expect(one).toHaveProperty('seen');
          }
          await store.updateSchema({ to: schemaTo, serverVersion });
        }
        const { queryMs, bytes } = await store.measure(10_000);
        expect(queryMs).toBeGreaterThan(0);
        expect(bytes).toBeGreaterThanOrEqual(0);
        await store.close(); // what was opened to measure
      },
      TIMEOUT_MS,
    );

    test(
      'is backed up once, for its owner alone; damage is seen, and another database is left alone',
      async () => {
        const { input, store } = await fresh();
        const backups = join(folder, 'backups');
        const file = join(backups, `${databaseNameOf(input)}.dump`);
        const first = await store.backUp(file);
        expect(first).toMatchObject({ file, bytes: (await stat(file)).size, entries: expect.any(Number) });
        for (const name of await readdir(backups)) expect((await stat(join(backups, name))).mode & 0o077).toBe(0);
        expect(await store.backUp(file)).toEqual(first);
        const order = { file, sha256: first.sha256, schema: schemaOf(input, FIRST), stamp: '20260101100000' };
        expect((await store.restore.checkBackup(order)).database).toBe(databaseNameOf(input));
        const wrong = store.restore.checkBackup({ ...order, schema: schemaOf(input, '1.31.2') });
        if (order.schema !== schemaOf(input, '1.31.2')) await failureOf(wrong);
        else await wrong;
        const other = (await fresh()).store;
        expect((await failureOf(other.backUp(file))).message).toContain('it is left alone');
        await damage(file);
        await failureOf(store.restore.checkBackup(order));
        await failureOf(store.restore.bring(order));
        const again = await store.backUp(file);
        await store.restore.checkBackup({ ...order, sha256: again.sha256 });
        expect((await readdir(backups)).filter((name) => name.endsWith('.partial'))).toEqual([]);
      },
      TIMEOUT_MS,
    );

    test(
      'a backup that is aborted leaves nothing behind',
      async () => {
        const { store } = await fresh();
        const backups = join(folder, 'aborted');
        const file = join(backups, 'some.dump');
        await expect(store.backUp(file, { signal: AbortSignal.abort() })).rejects.toThrow();
        expect(await readdir(backups).catch(() => [])).toEqual([]);
      },
      TIMEOUT_MS,
    );

    test(
      'goes back to its backup, in whichever try, and what was there is kept',
      async () => {
        const { input, store } = await fresh();
        const file = join(folder, 'back', `${databaseNameOf(input)}.dump`);
        const { sha256 } = await store.backUp(file);
        const to = schemaOf(input, '1.31.2');
        await store.updateSchema({ to, serverVersion: '1.31.2' });
        const order = { file, sha256, schema: schemaOf(input, FIRST), stamp: '20260101100000' };
        expect((await store.restore.findWay()).bytes).toBeGreaterThanOrEqual(0);
        await store.restore.bring(order);
        await store.restore.bring(order); // of a worker that died
        const place = await store.restore.takePlace(order);
        expect(place).toMatch(/before[-_]restore[-_]20260101100000/);
        expect(await store.readSchemaVersion()).toBe(order.schema);
        await store.restore.bring(order);
        expect(await store.restore.takePlace(order)).toBe(place);
        await store.updateSchema({ to, serverVersion: '1.31.2' });
        expect(await store.readSchemaVersion()).toBe(to);
      },
      TIMEOUT_MS,
    );

    test(
      'says what is wrong where it cannot be had',
      async () => {
        const { input, store } = await fresh();
        const missing = createStore(server().inputOf('every_missing'), part, tools);
        expect((await failureOf(missing.describe())).facts).toMatchObject({ reason: 'no-database' });
        const closed = createServer().listen(0, '127.0.0.1');
        await once(closed, 'listening');
        const { port } = closed.address() as { port: number };
        closed.close();
        const away = createStore(elsewhere(input, port), part, tools);
        expect((await failureOf(away.describe())).facts).toMatchObject({ reason: 'unreachable' });
        expect(await away.survey({ folder: 'any', backupDir: folder })).toMatchObject({
          database: { unseen: expect.any(String) },
        });
        await failureOf(away.measure(2_000));
        if (part === 'visibility') await failureOf(store.readShards());
        else expect(await store.readShards()).toEqual([]);
      },
      TIMEOUT_MS,
    );
  });
}

async function damage(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.from('damage'), 0, 6, 30);
  await handle.close();
}
