import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { withBackupLock, withRestoreLock } from '../../../src/adapters/backups/backup-lock.js';
import { tryLock } from '../../../src/adapters/file-lock.js';
import { failureOf } from '../../helpers/failure-of.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'temporal-upgrade-lock-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('one at a time has the files of a backup; the next says that it waits, and another backup is free', async () => {
  const [letGo, waiting] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const order: string[] = [];
  const first = withBackupLock({ root, key: 'a/one.dump' }, {}, async () => {
    order.push('first');
    order.push(await letGo.promise);
  });
  const onProgress = (line: string) => waiting.resolve(line);
  const second = withBackupLock({ root, key: 'a/one.dump' }, { onProgress }, () => {
    order.push('second');
    return Promise.resolve();
  });
  expect(await waiting.promise).toBe('waiting: another process reads or keeps the backup a/one.dump');
  await withBackupLock({ root, key: 'a/two.dump' }, {}, () => Promise.resolve(order.push('another')));
  letGo.resolve('first has ended');
  await Promise.all([first, second]);
  expect(order).toEqual(['first', 'another', 'first has ended', 'second']);
});

test('who waits can be called off', async () => {
  await withBackupLock({ root, key: 'b' }, {}, async () => {
    const waiting = withBackupLock({ root, key: 'b' }, { signal: AbortSignal.timeout(50) }, () => Promise.resolve());
    await expect(waiting).rejects.toThrow(/aborted/);
  });
});

test('a second restore is refused while one goes on, and not after it', async () => {
  await withRestoreLock(root, async () => {
    const second = await failureOf(withRestoreLock(root, () => Promise.resolve()));
    expect(second.facts).toMatchObject({ reason: 'restore-under-way' });
  });
  expect(await withRestoreLock(root, () => Promise.resolve('done'))).toBe('done');
});

test('the lock of a process that was killed is free', async () => {
  const file = join(root, 'killed.lock');
  const program = `
    const { DatabaseSync } = require('node:sqlite');
    const db = new DatabaseSync(process.argv[1]);
    db.exec('BEGIN EXCLUSIVE');
    console.log('held');
    setInterval(() => db, 1000);`;
  const holder = spawn(process.execPath, ['-e', program, file], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(holder.stdout, 'data');
  expect(tryLock(file)).toBeUndefined();
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  using held = tryLock(file);
  expect(held).toBeDefined();
});
