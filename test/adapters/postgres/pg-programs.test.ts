import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findPgPrograms, PG_BIN_VARIABLE } from '../../../src/adapters/postgres/pg-programs.js';
import { failureOf } from '../../helpers/failure-of.js';

/** Programs that only say their version: which one is taken is all that is asked here. */
let folder: string;
const before = { path: process.env['PATH'], bin: process.env[PG_BIN_VARIABLE] };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-pg-programs-'));
  for (const version of ['12.22', '15.18', '16.14', '17.10', '18.6']) {
    const bin = join(folder, version);
    await mkdir(bin);
    for (const name of ['pg_dump', 'pg_restore']) {
      await writeFile(join(bin, name), `#!/bin/sh\necho "${name} (PostgreSQL) ${version}"\n`, { mode: 0o755 });
    }
  }
});
afterAll(async () => {
  process.env['PATH'] = before.path;
  if (before.bin === undefined) delete process.env[PG_BIN_VARIABLE];
  else process.env[PG_BIN_VARIABLE] = before.bin;
  await rm(folder, { recursive: true, force: true });
});

const onPath = (...versions: string[]) => {
  delete process.env[PG_BIN_VARIABLE];
  process.env['PATH'] = [...versions.map((version) => join(folder, version)), '/usr/bin', '/bin'].join(delimiter);
};
const only = (version: string) => {
  process.env[PG_BIN_VARIABLE] = join(folder, version);
};

test('of several programs the nearest that is not older is taken, wherever it stands', async () => {
  onPath('16.14', '12.22', '15.18');
  expect(await findPgPrograms(12)).toMatchObject({ major: 12, pgRestore: join(folder, '12.22', 'pg_restore') });
  only('16.14');
  expect((await findPgPrograms(12)).major).toBe(16);
  only('18.6');
  expect((await findPgPrograms(17)).major).toBe(18);
});

test.each([12, 15, 16])(
  'programs of 17 and later are none for PostgreSQL %d: they bring nothing back',
  async (server) => {
    only('17.10');
    const { message, facts } = await failureOf(findPgPrograms(server));
    expect(message).toMatch(/older than 17: later ones restore nothing into it, as they set transaction_timeout/);
    expect(message).toContain(`Install the package postgresql-client-${server}`);
    expect(facts).toMatchObject({ serverMajor: server, found: [expect.stringContaining('pg_dump 17.10')] });
  },
);

test('one that is older is none either', async () => {
  only('15.18');
  expect((await failureOf(findPgPrograms(16))).message).toMatch(/found only .*pg_dump 15\.18/);
  expect((await failureOf(findPgPrograms(17))).message).not.toContain('transaction_timeout');
});
