import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { readLogTail } from '../../../src/adapters/process/log-tail.js';

const directory = mkdtempSync(join(tmpdir(), 'log-tail-'));
afterAll(() => rmSync(directory, { recursive: true }));

function logOf(text: string): string {
  const file = join(directory, 'server.log');
  writeFileSync(file, text);
  return file;
}

test('shows level, message and error of a server’s line, without its stack trace', async () => {
  const line = { level: 'fatal', msg: 'cannot listen', error: 'address already in use', stacktrace: 'x'.repeat(9_000) };
  expect(await readLogTail(logOf(`${JSON.stringify(line)}\n`), 0)).toBe('fatal: cannot listen: address already in use');
});

test('keeps beginning and end of a long line', async () => {
  const tail = await readLogTail(logOf(`what failed ${'.'.repeat(5_000)} why it failed`), 0);
  expect(tail).toMatch(/^what failed \.+ … \.+ why it failed$/);
  expect(tail.length).toBeLessThan(1_000);
});

test('begins where it is told to, and is empty when nothing was written since', async () => {
  const file = logOf('old\nnew\n');
  expect(await readLogTail(file, 4)).toBe('new');
  expect(await readLogTail(file, 8)).toBe('');
  expect(await readLogTail(file, 100)).toBe('');
});

test('shows the last lines of many, and text that is no JSON as it is', async () => {
  const tail = await readLogTail(logOf(Array.from({ length: 1_000 }, (_, index) => `line ${index}`).join('\n')), 0);
  expect(tail.split('\n')).toHaveLength(15);
  expect(tail).toMatch(/line 999$/);
  expect(await readLogTail(logOf('{"level": "half a li'), 0)).toBe('{"level": "half a li');
});

test('blackens secrets before it cuts, so that no half of one is left', async () => {
  const secret = 'geheim'.repeat(40);
  const tail = await readLogTail(logOf(`${'.'.repeat(250)}${secret}${'.'.repeat(5_000)}${secret}`), 0, [secret, '']);
  expect(tail).toContain('***');
  expect(tail).not.toContain('geh');
});

test('leaves out the steps of a server’s start, not their errors', async () => {
  const lines = ['the cause', ...Array.from({ length: 100 }, () => '[Fx] PROVIDE\tx <= y()'), '[Fx] ERROR\t\tgave up'];
  expect(await readLogTail(logOf(lines.join('\n')), 0)).toBe('the cause\n[Fx] ERROR\t\tgave up');
});
