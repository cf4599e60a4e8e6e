import { mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { extract } from 'tar';
import { backUpConfiguration } from '../../src/adapters/backups/configuration-backup.js';
import { BackupKeeper } from '../../src/adapters/backups/backup-keeper.js';
import { listBackups, verifyBackups } from '../../src/backups.js';
import { parseTarget, type Target } from '../../src/core/input/input.js';
import { rolloutText } from '../helpers/rollout-input.js';

let folder: string;
let file: string;
let target: Target;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'configuration-backup-'));
  file = join(folder, 'backups', 'upgrade-prod', 'live-1.30.7-to-1.31.2-1', 'configuration.tar.gz');
  await mkdir(join(folder, 'config'));
  await writeFile(join(folder, 'config', 'development.yaml'), 'persistence: {}\n');
  target = { ...parseTarget(rolloutText().live), backupDir: join(folder, 'backups') };
});
afterEach(() => rm(folder, { recursive: true }));

const make = () => backUpConfiguration({ paths: [join(folder, 'config')], file, serverVersion: '1.30.7' }, {});

test('is listed and read again beside the databases, for its owner alone; made anew in the next try', async () => {
  const made = await make();
  expect((await stat(file)).mode & 0o077).toBe(0);
  expect(await listBackups(target)).toMatchObject([{ file, store: 'configuration', hop: 'live-1.30.7-to-1.31.2-1' }]);
  expect(await verifyBackups(target, undefined, () => undefined)).toMatchObject([{ whole: true }]);
  await writeFile(join(folder, 'config', 'development.yaml'), 'persistence: { mended: true }\n');
  expect((await make()).sha256).not.toBe(made.sha256);
  await mkdir(join(folder, 'out'));
  await extract({ file, cwd: join(folder, 'out') });
  expect(await readFile(join(folder, 'out', folder, 'config', 'development.yaml'), 'utf8')).toContain('mended');
});

test('one that is damaged is told so', async () => {
  await make();
  const handle = await open(file, 'r+');
  await handle.write(Buffer.from('damage'), 0, 6, 30);
  await handle.close();
  const [verified] = await verifyBackups(target, undefined, () => undefined);
  expect(verified).toMatchObject({ whole: false, problem: expect.stringContaining('missing or damaged') });
});

test('one that is kept encrypted is decrypted to be read, and not left so', async () => {
  const backups = { encryption: { encrypt: ['tr', 'a-z', 'b-za'], decrypt: ['tr', 'b-za', 'a-z'], environment: {} } };
  const made = await make();
  await new BackupKeeper({ backupDir: target.backupDir, backups }).keep(made, {});
  await expect(stat(file)).rejects.toThrow();
  const encrypted = { ...target, backups: { ...target.backups, ...backups } };
  expect(await verifyBackups(encrypted, undefined, () => undefined)).toMatchObject([{ whole: true, encrypted: true }]);
  await expect(stat(file)).rejects.toThrow();
});
