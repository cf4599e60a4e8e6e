import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { howToKeep, isReadByItself } from '../../../src/adapters/compose/kept-version.js';
import { composeInput } from '../../helpers/compose-project.js';

let directory: string;

beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'kept-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

test('an "up" by hand reads our file when COMPOSE_FILE names it, and what has to be written for that is said', async () => {
  const input = composeInput({ files: [join(directory, 'compose.yaml')] });
  expect(await isReadByItself(input)).toBe(false);
  const said = howToKeep(input);
  expect(said).toBe(`add COMPOSE_FILE=compose.yaml:compose.temporal-upgrade.yaml to ${join(directory, '.env')}`);
  await writeFile(join(directory, '.env'), `TAG=1\n${said.split(' ')[1] ?? ''}\n`);
  expect(await isReadByItself(input)).toBe(true);
  await writeFile(join(directory, '.env'), 'COMPOSE_FILE=compose.yaml\n');
  expect(await isReadByItself(input)).toBe(false);
});

test('or when it has the name of an override file', async () => {
  const files = [join(directory, 'compose.yaml')];
  const overrideFile = join(directory, 'compose.override.yaml');
  expect(await isReadByItself(composeInput({ files, overrideFile }))).toBe(true);
  const two = [...files, join(directory, 'more.yaml')];
  expect(await isReadByItself(composeInput({ files: two, overrideFile }))).toBe(false);
});
