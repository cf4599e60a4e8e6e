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
  // Of an earlier run.
  for (const part of ['test', 'test-rest']) {
    writeFileSync(join(root, `.test-results/${part}.summary`), '99 passed, 0 failed\n');
    writeFileSync(join(root, `.test-results/${part}.failures`), 'FAILED: long ago\n');
  }
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function run(test: string, rest = leaves('test-rest', '1 passed, 0 failed')) {
  writeFileSync(join(root, 'Makefile'), `test:\n\t@${test}\ntest-rest:\n\t@${rest}\n`);
  const { status, stdout } = spawnSync(join(root, '.ci/run'), { encoding: 'utf8', cwd: tmpdir() });
  return { status, lines: stdout.trimEnd().split('\n') };
}

/** A recipe of one part that comes to its end. */
function leaves(part: string, summary: string, failure = ''): string {
  return `printf '${failure}' > .test-results/${part}.failures; echo ${summary} > .test-results/${part}.summary`;
}

test('adds up both parts, with nothing after the sum', () => {
  expect(run(leaves('test', '3 passed, 0 failed'))).toEqual({ status: 0, lines: ['4 passed, 0 failed'] });
});

test('fails when a part fails, goes on with the other, and names what failed just before the sum', () => {
  const first = `${leaves('test', '2 passed, 1 failed', 'FAILED: a\\n')}; exit 1`;
  expect(run(first)).toEqual({ status: 2, lines: ['FAILED: a', '3 passed, 1 failed'] });
  const rest = `${leaves('test-rest', '5 passed, 1 failed', 'FAILED: b\\n')}; exit 1`;
  expect(run(leaves('test', '2 passed, 0 failed'), rest)).toEqual({
    status: 2,
    lines: ['FAILED: b', '7 passed, 1 failed'],
  });
});

test('fails when nothing could be run, and does not show what an earlier run left', () => {
  expect(run('exit 1', 'exit 1')).toEqual({ status: 2, lines: ['0 passed, 2 failed'] });
});

test('gives the tests nothing to read', () => {
  expect(run(`wc -c; ${leaves('test', '1 passed, 0 failed')}`).lines).toEqual(['0', '2 passed, 0 failed']);
});
