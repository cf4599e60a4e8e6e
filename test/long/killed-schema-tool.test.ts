import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { scriptsFolder } from '../../src/adapters/sql/sql-tool.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { PostgresStore } from '../../src/core/input/input.js';
import { setUpDatabase } from '../../src/lab/databases.js';
import { startPostgres, type LabPostgres } from '../../src/lab/postgres.js';
import { killToolAfter } from '../helpers/killed-tool.js';

/**
 * PostgreSQL's schema tool, killed before each statement of the versions between 1.23 and 1.28, among which are those that drop: tables,
 * columns that are added anew, and their indexes. Three of these moments are in postgres-store.test.ts of the real tests.
 */

const tools = createToolResolver();
let postgres: LabPostgres;
let folder: string;

beforeAll(async () => {
  postgres = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), 'killed-schema-tool-'));
}, 120_000);

afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

test.each([
  { kind: 'default', from: '1.11', to: '1.17', least: 11 },
  { kind: 'visibility', from: '1.4', to: '1.9', least: 20 },
] as const)(
  '$kind store, killed before each statement: preflight says what is left, and the next try does the rest',
  async ({ kind, from, to, least }) => {
    for (let statements = 0; ; statements += 1) {
      const database = `killed_${kind}_${statements}`;
      await setUpDatabase(postgres, { part: kind, database, version: '1.23.1', tools });
      const { host, port, user, passwordFile } = postgres;
      const input: PostgresStore = {
        ...{ type: 'postgresql', plugin: 'postgres12', host, port, user, database },
        password: { file: passwordFile },
      };
      const store = createStore(input, kind, tools);
      expect(await store.readSchemaVersion()).toBe(from);
      const update = { to, serverVersion: '1.28.1' };
      if (!(await killToolAfter(statements, postgres, { input, kind, ...update, tools }))) {
        expect(statements).toBeGreaterThanOrEqual(least);
        return;
      }
      const look = () => store.survey({ folder: scriptsFolder(input, kind), schemaTo: to, backupDir: folder });
      const { scripts } = await look();
      const left = scripts !== undefined && 'seen' in scripts ? scripts.seen.leftOvers : undefined;
      expect({ statements, doubts: left?.filter(({ doubt }) => doubt !== undefined) }).toEqual({
        statements,
        doubts: [],
      });
      const gone = (left ?? []).map(({ what }) => what).filter((what) => what.endsWith('is gone already'));
      expect(await store.updateSchema(update)).toEqual(gone.map((what) => expect.stringContaining(what)));
      expect(await store.readSchemaVersion()).toBe(to);
      expect((await look()).shape).toEqual({ seen: [] });
    }
  },
  600_000,
);
