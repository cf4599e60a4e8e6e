// Runs everything that has to be right, goes on after a failure, and ends its output with `N passed, N failed`.
// With `--rest` first among its words: those tests that take too long for every time.
// A step that is no test suite counts as one failure when it fails; so does a suite that could not run.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const results = `${root}.test-results`;
const total = { passed: 0, failed: 0, skipped: 0 };
/** What failed, by name: said again at the end, as whoever looks for it may see only that. */
const failures = [];

function run(program, args) {
  const { status, signal, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0)
    console.log(`FAILED: ${[program, ...args].join(' ')} (${error?.message ?? signal ?? `exit ${status}`})`);
  return status === 0;
}

function step(name, program, args) {
  console.log(`\n== ${name}`);
  const ok = run(program, args);
  if (!ok) {
    total.failed += 1;
    failures.push(name);
  }
  return ok;
}

function suite(project, ...flags) {
  console.log(`\n== ${project} tests`);
  const file = `${results}/${project}.json`;
  rmSync(file, { force: true });
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  const ok = run(process.execPath, [...jest, '--selectProjects', project, '--json', `--outputFile=${file}`, ...flags]);
  const counted = readResult(file);
  total.passed += counted.passed;
  total.skipped += counted.skipped;
  // Jest may fail with no failed test, for instance when it dies, finds no test or cannot load a file.
  total.failed += ok ? counted.failed : Math.max(1, counted.failed);
  failures.push(...counted.failures);
  if (!ok && counted.failures.length === 0) failures.push(`${project}: jest itself`);
}

function readResult(file) {
  try {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
      skipped: result.numPendingTests + result.numTodoTests,
      failures: result.testResults.filter(({ status }) => status === 'failed').flatMap(namesOfFailed),
    };
  } catch {
    console.log(`FAILED: jest left no result in ${file}`);
    return { passed: 0, failed: 1, skipped: 0, failures: [`no result in ${file}`] };
  }
}

/** The failed tests of one file; the file alone where it could not be run. */
function namesOfFailed({ name, message, assertionResults }) {
  const path = relative(root, name);
  const failed = assertionResults.filter(({ status }) => status === 'failed');
  if (failed.length === 0) return [`${path}: ${firstLine(message)}`];
  return failed.map(({ fullName, failureMessages }) => `${path}: ${fullName}: ${firstLine(failureMessages[0])}`);
}

function firstLine(text = '') {
  return stripVTControlCharacters(text).trim().split('\n')[0].slice(0, 200);
}

const [first, ...others] = process.argv.slice(2);
const isRest = first === '--rest';
mkdirSync(results, { recursive: true });
const built = step('build', 'npm', ['run', '--silent', 'build']);
if (!isRest) {
  step('lint', 'npm', ['run', '--silent', 'lint']);
  step('types', 'npm', ['run', '--silent', 'types']);
}
// The quick tests need the Temporal CLI, the full ones everything; built here, no test waits for a compiler.
if (built) step('tools', process.execPath, ['scripts/bring-tools.js', ...(isRest ? others : process.argv.slice(2))]);
if (isRest) {
  suite('rest', '--maxWorkers=2');
  suite('rest-alone', '--runInBand');
} else {
  suite('quick', '--maxWorkers=100%');
  suite('full', '--maxWorkers=2');
  suite('alone', '--runInBand');
}

if (total.skipped > 0) console.log(`\n${total.skipped} skipped`);
const failed = failures.map((failure) => `FAILED: ${failure}\n`).join('');
process.stdout.write(failed);
const summary = `${total.passed} passed, ${total.failed} failed`;
// For .ci/run, which puts both parts together.
const part = `${results}/${isRest ? 'test-rest' : 'test'}`;
writeFileSync(`${part}.failures`, failed);
writeFileSync(`${part}.summary`, `${summary}\n`);
console.log(`\n${summary}`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
