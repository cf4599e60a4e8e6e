import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const script = fileURLToPath(new URL('../../.ci/run', import.meta.url));
let root: string;

// A Makefile of the test: the real one would start the suite that this test is part of.
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ci-run-'));
  mkdirSync(join(root, '.ci'));
  mkdirSync(join(root, '.test-results'));
  cpSync(script, join(root, '.ci/run'));
  writeFileSync(join(root, '.test-results/summary'), '99 passed, 0 failed\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function run(recipe: string) {
  writeFileSync(join(root, 'Makefile'), `test:\n\t@${recipe}\n`);
  const { status, stdout } = spawnSync(join(root, '.ci/run'), { encoding: 'utf8', cwd: tmpdir() });
  return { status, lastLine: stdout.trimEnd().split('\n').at(-1) };
}

test('passes when the tests pass, with nothing after their summary', () => {
  expect(run('echo 3 passed, 0 failed')).toEqual({ status: 0, lastLine: '3 passed, 0 failed' });
});

test('fails when the tests fail, and ends with their summary', () => {
  const recipe = 'echo 2 passed, 1 failed > .test-results/summary; exit 1';
  expect(run(recipe)).toEqual({ status: 2, lastLine: '2 passed, 1 failed' });
});

test('fails when nothing could be run, and does not show the summary of an earlier run', () => {
  expect(run('exit 1')).toEqual({ status: 2, lastLine: '0 passed, 1 failed' });
});

test('gives the tests nothing to read', () => {
  expect(run('wc -c')).toEqual({ status: 0, lastLine: '0' });
});
