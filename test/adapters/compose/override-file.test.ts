import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import {
  overrideLine,
  overrideText,
  readOverride,
  writeOverride,
} from '../../../src/adapters/compose/override-file.js';

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'override-'));
  file = join(directory, 'compose.temporal-upgrade.yaml');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const TWO = { images: { history: 'temporalio/server:1.30.7', matching: 'temporalio/server:1.29.1' }, containers: {} };

test('what is written is read again, and nothing is there before', async () => {
  expect(await readOverride(file)).toEqual({ images: {}, containers: {} });
  for (const override of [TWO, { ...TWO, containers: { history: 2 } }]) {
    await writeOverride(file, override);
    expect(await readOverride(file)).toEqual(override);
  }
});

test('Compose finds services with an image in it, and nothing else but what it passes over', () => {
  const value: unknown = parse(overrideText({ ...TWO, containers: { history: 2 } }));
  expect(value).toEqual({
    services: { history: { image: 'temporalio/server:1.30.7' }, matching: { image: 'temporalio/server:1.29.1' } },
    'x-temporal-upgrade': { containers: { history: 2 } },
  });
});

test('the line for a shell writes the same', async () => {
  const other = join(directory, "with ' quote.yaml");
  await promisify(execFile)('sh', ['-c', overrideLine(other, TWO)]);
  expect(await readFile(other, 'utf8')).toBe(overrideText(TWO));
});

test('a file of somebody else is not overwritten', async () => {
  await writeFile(file, 'services: { history: { mem_limit: 1g } }\n');
  await expect(readOverride(file)).rejects.toThrow(/was not written by this tool.*driver\.overrideFile/);
  await writeOverride(file, TWO);
  await writeFile(file, `${await readFile(file, 'utf8')}services: 1\n`);
  await expect(readOverride(file)).rejects.toThrow(/cannot be read/);
});
