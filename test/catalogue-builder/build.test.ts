import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import { build, check } from '../../src/catalogue-builder/build.js';
import { isKnown } from '../../src/core/catalogue/catalogue.js';
import { MADE, madeSource, step, writeSource } from '../helpers/server-source.js';

let folder: string;
let directory: string;
let source: string;
let said: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-catalogue-'));
  directory = join(folder, 'catalogue');
  source = join(folder, 'server');
  said = [];
  await cp(fileURLToPath(new URL('../../catalogue', import.meta.url)), directory, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const say = (line: string) => void said.push(line);
const releases = () => readFile(join(directory, 'temporal-versions.json'), 'utf8');

test('adds a release from a folder; the second time there is nothing to do', async () => {
  await writeSource(source, madeSource());
  await writeFile(join(directory, 'temporal-versions.json.part'), '{ "left by a killed run');
  await build({ version: '1.33.0', source, directory }, say);
  expect(said).toEqual(expect.arrayContaining(['added: minor 1.33', 'added: release 1.33.0']));
  expect(isKnown(await loadCatalogue(directory), '1.33.0')).toBe(true);
  const once = await releases();
  said = [];
  await build({ version: '1.33.0', source, directory }, say);
  expect(said[0]).toBe('1.33.0: nothing new');
  expect(await releases()).toBe(once);
  expect((await readdir(directory)).sort()).toEqual(['rules.json', 'shapes', 'temporal-versions.json']);
});

test.each([
  ['what it cannot read', '1.33.0', madeSource(MADE, step('mysql/v8/temporal', '1.20')), /expects 1\.19 .* is v1\.20/],
  [
    'what is not a server',
    '1.33.0',
    new Map([['go.mod', 'module x\n\ngo 1.21\n']]),
    /not the source of a Temporal server/,
  ],
  ['what it knows otherwise', '1.32.2', madeSource(), /says otherwise of 1\.32\.2/],
  ['a version that is none', '1.33', madeSource(), /VERSION is "1\.33"/],
])('refuses %s, and changes nothing', async (_, version, files, message) => {
  await writeSource(source, files);
  const before = await releases();
  await expect(build({ version, source, directory }, say)).rejects.toThrow(message);
  expect(await releases()).toBe(before);
  expect(said).toEqual([]);
});

test('check says what differs, and writes nothing', async () => {
  await writeSource(source, madeSource({ ...MADE, cassandra: '1.14' }));
  const before = await releases();
  expect(await check({ version: '1.32.2', source, directory }, say)).toBe(false);
  expect(said).toContain('1.32.2: cassandra.temporal: the catalogue has 1.13, the release 1.14');
  expect(await check({ version: '1.33.0', source, directory }, say)).toBe(false);
  expect(said.at(-1)).toBe('1.33.0: the catalogue does not know this release');
  expect(await releases()).toBe(before);
});
