import { accessSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { runCommand } from '../../src/adapters/run-command.js';

const NAME = 'temporal-upgrade-worker.service';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const hasSystemd = (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
  try {
    accessSync(join(folder, 'systemd-analyze'));
    return true;
  } catch {
    return false;
  }
});

(hasSystemd ? test : test.skip)('systemd finds nothing wrong with the unit of the worker', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-unit-'));
  try {
    const text = await readFile(join(ROOT, 'service', NAME), 'utf8');
    // It looks whether the program is there and the user known, as they are on a host where it is installed.
    const installed = text.replace('/opt/temporal-upgrade/', ROOT).replace('User=temporal', 'User=root');
    expect(installed).not.toBe(text);
    await writeFile(join(folder, NAME), installed);
    const { stdout, stderr } = await runCommand('systemd-analyze', ['verify', join(folder, NAME)]);
    expect(stdout + stderr).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
});
