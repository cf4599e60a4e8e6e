import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const script = fileURLToPath(new URL('../../scripts/test-all.js', import.meta.url));
let root: string;

// The steps are stand-ins: this test runs inside the suite that the real ones would start again.
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'test-all-'));
  for (const folder of ['scripts', 'bin', 'node_modules/jest/bin']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  cpSync(script, join(root, 'scripts/test-all.js'));
  writeFileSync(join(root, 'scripts/bring-tools.js'), 'console.log("tools", ...process.argv.slice(2));');
  npm('exit 0');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function npm(body: string): void {
  writeFileSync(join(root, 'bin/npm'), `#!/bin/sh\n${body}\n`);
  chmodSync(join(root, 'bin/npm'), 0o755);
}

/** What jest would write for each project, and that of those that are not named is empty; `undefined` when it dies before. */
function jest(results: Partial<Record<'quick' | 'full' | 'rest', object | undefined>>, exitCode = 0): void {
  const zero = {
    numPassedTests: 0,
    numFailedTests: 0,
    numRuntimeErrorTestSuites: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: [],
  };
  const complete = Object.fromEntries(
    Object.entries({ quick: {}, full: {}, alone: {}, rest: {}, 'rest-alone': {}, ...results }).map(([name, result]) => [
      name,
      result === undefined ? undefined : { ...zero, ...result },
    ]),
  );
  writeFileSync(
    join(root, 'node_modules/jest/bin/jest.js'),
    `import { writeFileSync } from 'node:fs';
     const project = process.argv[process.argv.indexOf('--selectProjects') + 1];
     const file = process.argv.find((each) => each.startsWith('--outputFile=')).slice('--outputFile='.length);
     const result = ${JSON.stringify(complete)}[project];
     if (result) writeFileSync(file, JSON.stringify(result));
     process.exitCode = ${exitCode};`,
  );
}

function run(...flags: string[]) {
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'scripts/test-all.js'), ...flags, '1.29.1'], {
    encoding: 'utf8',
    env: { PATH: `${join(root, 'bin')}:/usr/bin:/bin` },
  });
  return { status, stdout, lastLine: stdout.trimEnd().split('\n').at(-1) };
}

test('adds up the suites, and brings the tools before any of them', () => {
  jest({ quick: { numPassedTests: 10 }, full: { numPassedTests: 4, numPendingTests: 1 } });
  const { status, stdout, lastLine } = run();
  expect({ status, lastLine }).toEqual({ status: 0, lastLine: '14 passed, 0 failed' });
  expect(stdout).toContain('tools 1.29.1');
  expect(stdout.indexOf('tools 1.29.1')).toBeLessThan(stdout.indexOf('== quick tests'));
  expect(stdout).toContain('1 skipped');
});

test('the rest is another part, with tools of its own and a summary beside the first', () => {
  jest({ quick: { numPassedTests: 10 }, rest: { numPassedTests: 3 } });
  expect(run()).toMatchObject({ status: 0, lastLine: '10 passed, 0 failed' });
  const { status, stdout, lastLine } = run('--rest');
  expect({ status, lastLine }).toEqual({ status: 0, lastLine: '3 passed, 0 failed' });
  expect(stdout).toContain('tools 1.29.1');
  expect(stdout).not.toContain('== lint');
  const [first, second] = ['test', 'test-rest'].map((part) =>
    readFileSync(join(root, `.test-results/${part}.summary`), 'utf8'),
  );
  expect([first, second]).toEqual(['10 passed, 0 failed\n', '3 passed, 0 failed\n']);
});

test('counts failed tests and files that could not be loaded', () => {
  jest({ quick: { numPassedTests: 10, numFailedTests: 2 }, full: { numRuntimeErrorTestSuites: 1 } }, 1);
  expect(run()).toMatchObject({ status: 1, lastLine: '10 passed, 4 failed' });
});

test('says at its end which tests failed, and which files could not be loaded', () => {
  const name = join(root, 'test/a.test.ts');
  const assertionResults = [
    { status: 'passed', fullName: 'holds', failureMessages: [] },
    { status: 'failed', fullName: 'breaks', failureMessages: ['\u001b[31mError: seen\u001b[39m\n    at a.test.ts:1'] },
  ];
  const unloaded = {
    name: join(root, 'test/b.test.ts'),
    status: 'failed',
    message: 'cannot load',
    assertionResults: [],
  };
  const testResults = [{ name, status: 'failed', message: '', assertionResults }, unloaded];
  jest({ quick: { numPassedTests: 1, numFailedTests: 1, numRuntimeErrorTestSuites: 1, testResults }, full: {} }, 1);
  const { stdout } = run();
  expect(stdout.trimEnd().split('\n').slice(-6)).toEqual([
    'FAILED: test/a.test.ts: breaks: Error: seen',
    'FAILED: test/b.test.ts: cannot load',
    'FAILED: full: jest itself',
    'FAILED: alone: jest itself',
    '',
    '1 passed, 4 failed',
  ]);
});

test('counts a suite that left no result as a failure, also when an older result lies there', () => {
  jest({ quick: { numPassedTests: 10 }, full: { numPassedTests: 4 } });
  run();
  jest({ quick: { numPassedTests: 10 }, full: undefined });
  expect(run()).toMatchObject({ status: 1, lastLine: '10 passed, 1 failed' });
});

test('fails when jest fails without a failed test', () => {
  jest({ quick: { numPassedTests: 10 }, full: {} }, 1);
  expect(run()).toMatchObject({ status: 1, lastLine: '10 passed, 3 failed' });
});

test('counts a failed build, lint or type check, and still runs the tests', () => {
  npm('[ "$3" != lint ]');
  jest({ quick: { numPassedTests: 10 }, full: { numPassedTests: 4 } });
  expect(run()).toMatchObject({ status: 1, lastLine: '14 passed, 1 failed' });
});

test('does not pass when no test ran', () => {
  jest({ quick: {}, full: {} });
  expect(run()).toMatchObject({ status: 1, lastLine: '0 passed, 0 failed' });
});
