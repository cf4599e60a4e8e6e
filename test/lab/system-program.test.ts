import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findSystemProgram, type WantedProgram } from '../../src/lab/system-program.js';

const VARIABLE = 'TEMPORAL_UPGRADE_CACHE_DIR';
/** The cache, with the files of a package that was unpacked before. */
let cache: string;
let before: string | undefined;
beforeEach(async () => {
  before = process.env[VARIABLE];
  cache = await mkdtemp(join(tmpdir(), 'system-program-'));
  process.env[VARIABLE] = cache;
});
afterEach(async () => {
  if (before === undefined) delete process.env[VARIABLE];
  else process.env[VARIABLE] = before;
  await rm(cache, { recursive: true });
});

async function unpack(place: string, script: string): Promise<string> {
  const file = join(cache, 'tool', place);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

const WANTED: WantedProgram = {
  name: 'tool',
  installed: 'no-such-program-is-installed',
  packages: [],
  places: ['usr/bin/tool', 'bin/tool'],
  asked: ['--version'],
  install: 'tool 1.2 or later',
};

test('an installed program is taken as it is, also one that does not know what it is asked', async () => {
  const asked = ['-c', 'exit 3'];
  const found = { program: 'sh', env: {}, folder: undefined };
  expect(await findSystemProgram({ ...WANTED, installed: 'sh', asked })).toEqual(found);
});

test('else that of its packages, where they have it, with their libraries', async () => {
  const program = await unpack('bin/tool', 'exit 0');
  const libraries = join(cache, 'tool', 'usr', 'lib', 'x86_64-linux-gnu');
  await mkdir(libraries, { recursive: true });
  const folder = join(cache, 'tool');
  expect(await findSystemProgram(WANTED)).toEqual({ program, env: { LD_LIBRARY_PATH: libraries }, folder });
});

test('one whose libraries are missing here is refused, with what to install', async () => {
  const program = await unpack('usr/bin/tool', 'exit 127'); // as the dynamic loader ends
  await expect(findSystemProgram(WANTED)).rejects.toThrow(`${program} cannot be run here; install tool 1.2 or later`);
});
