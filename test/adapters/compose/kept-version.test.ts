import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { howToKeep, isReadByItself } from '../../../src/adapters/compose/kept-version.js';
import { composeInput } from '../../helpers/compose-project.js';

let directory: string;
let two: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kept-'));
  two = ['compose.yaml', 'more.yaml'].map((name) => join(directory, name));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('beside one file ours has a name that every "up" reads', async () => {
  const files = [join(directory, 'compose.yaml')];
  expect(await isReadByItself(composeInput({ files }))).toBe(true);
  expect(await isReadByItself(composeInput({ files, command: ['podman-compose'] }))).toBe(true);
  expect(await isReadByItself(composeInput({ files, overrideFile: join(directory, 'ours.yaml') }))).toBe(false);
  expect(await isReadByItself(composeInput({ files, overrideFile: '/etc/compose.override.yaml' }))).toBe(false);
});

test('docker compose reads it by COMPOSE_FILE in .env too, and what has to be written there is said', async () => {
  const input = composeInput({ files: two });
  expect(await isReadByItself(input)).toBe(false);
  const said = howToKeep(input);
  expect(said).toBe(
    `add COMPOSE_FILE=compose.yaml:more.yaml:compose.temporal-upgrade.yaml to ${join(directory, '.env')}`,
  );
  await writeFile(join(directory, '.env'), `TAG=1\n${said.split(' ')[1] ?? ''}\n`);
  expect(await isReadByItself(input)).toBe(true);
  await writeFile(join(directory, '.env'), 'COMPOSE_FILE=compose.yaml:more.yaml\n');
  expect(await isReadByItself(input)).toBe(false);
});

test('podman-compose reads that in its environment alone', async () => {
  const input = composeInput({ files: two, command: ['podman-compose'] });
  const said = howToKeep(input);
  expect(said).toMatch(/^set COMPOSE_FILE=compose\.yaml:more\.yaml:compose\.temporal-upgrade\.yaml in the environment/);
  await writeFile(join(directory, '.env'), `${said.split(' ')[1] ?? ''}\n`);
  expect(await isReadByItself(input)).toBe(false);
});
