import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const script = fileURLToPath(new URL('../../scripts/check-dependencies.js', import.meta.url));
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dependencies-'));
  mkdirSync(join(root, 'scripts'));
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  cpSync(script, join(root, 'scripts/check-dependencies.js'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

type Packages = Record<string, { version?: string; optional?: boolean }>;

function check(wanted: Packages, installed?: Packages, missing: readonly string[] = []): number | null {
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: { '': { version: '0.1.0' }, ...wanted } }));
  if (installed !== undefined) {
    mkdirSync(join(root, 'node_modules'), { recursive: true });
    writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }));
    for (const path of Object.keys(installed))
      if (!missing.includes(path)) mkdirSync(join(root, path), { recursive: true });
  }
  return spawnSync(process.execPath, [join(root, 'scripts/check-dependencies.js')]).status;
}

test.each([
  ['everything is installed', { a: { version: '1.0.0' } }, { a: { version: '1.0.0' } }, 0],
  ['only a package of another system is missing', { a: { version: '1.0.0', optional: true } }, {}, 0],
  ['a package is missing', { a: { version: '1.0.0' } }, {}, 1],
  ['a package has another version', { a: { version: '1.0.0' } }, { a: { version: '0.9.0' } }, 1],
  ['an install was killed before its end', { a: { version: '1.0.0' } }, undefined, 1],
] as const)('%s', (_name, wanted, installed, exitCode) => {
  expect(check(wanted, installed)).toBe(exitCode);
});

test('a folder was copied and lacks what is said to be installed', () => {
  const packages = { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } };
  expect(check(packages, packages, ['node_modules/b'])).toBe(1);
  expect(check(packages, packages)).toBe(0);
});
