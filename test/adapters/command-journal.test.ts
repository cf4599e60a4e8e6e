import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CommandJournal, readJournal, withJournal } from '../../src/adapters/command-journal.js';
import { runCommand } from '../../src/adapters/run-command.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'command-journal-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const journalIn = (file: string) =>
  new CommandJournal(file, 'replaceNode', (error) => {
    throw error;
  });

test('what was run is there with its arguments, its length and how it failed, for the user alone', async () => {
  const file = join(folder, 'new folder', 'commands.jsonl');
  await withJournal(journalIn(file), async () => {
    await runCommand('true', ['a b']);
    await expect(runCommand('sh', ['-c', 'exit 3'])).rejects.toThrow('exit code 3');
  });
  expect(await readJournal(file)).toEqual([
    { at: expect.any(String), activity: 'replaceNode', line: "true 'a b'", times: 1, ms: expect.any(Number) },
    {
      at: expect.any(String),
      activity: 'replaceNode',
      line: "sh -c 'exit 3'",
      times: 1,
      ms: expect.any(Number),
      failed: 'sh ended with exit code 3',
    },
  ]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('a secret is in no line, whether it came by the environment or stands among the arguments', async () => {
  const file = join(folder, 'secrets.jsonl');
  await withJournal(journalIn(file), async () => {
    await runCommand('true', ['--token', "it's-secret"], { env: { TOKEN: "it's-secret" } });
    await runCommand('true', ['--short=pw1'], { env: { PW: 'pw1' }, secrets: ['pw1'] });
  });
  expect((await readJournal(file)).map(({ line }) => line)).toEqual(["true --token '***'", "true '--short=***'"]);
});

test('what is run again and again is one entry', async () => {
  const file = join(folder, 'often.jsonl');
  await withJournal(journalIn(file), async () => {
    for (let time = 0; time < 5; time += 1) await runCommand('true', []);
  });
  expect(await readJournal(file)).toEqual([expect.objectContaining({ line: 'true', times: 5 })]);
});

test('a worker that is killed leaves what it had begun, and a piece of a line that is passed over', async () => {
  const file = join(folder, 'killed.jsonl');
  journalIn(file).begin('pg_dump --file=x');
  await appendFile(file, '\n{"id":"torn","at":"2026');
  await withJournal(journalIn(file), async () => {
    await runCommand('true', []);
  });
  expect(await readJournal(file)).toEqual([
    expect.objectContaining({ line: 'pg_dump --file=x', unfinished: true }),
    expect.objectContaining({ line: 'true', times: 1 }),
  ]);
});

test('a disk that takes no more keeps no command from being run, and is told', async () => {
  const told: unknown[] = [];
  const blocked = join(folder, 'a file');
  await writeFile(blocked, '');
  const journal = new CommandJournal(join(blocked, 'commands.jsonl'), 'replaceNode', (error) => told.push(error));
  const { stdout } = await withJournal(journal, () => runCommand('echo', ['done']));
  expect(stdout).toBe('done');
  expect(told.length).toBeGreaterThan(0);
});

test('where nobody keeps a journal, and where there is none, nothing is written or read', async () => {
  await runCommand('true', []);
  expect(await readJournal(join(folder, 'none.jsonl'))).toEqual([]);
});
