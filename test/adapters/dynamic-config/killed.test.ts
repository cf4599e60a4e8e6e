import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  applySettings,
  takeBackSettings,
  type ApplyOrder,
} from '../../../src/adapters/dynamic-config/roll-settings.js';
import { compileSource } from '../../helpers/compiled-source.js';

const ORIGINAL = '# keep me\nfrontend.rps:   # ours\n- value: 0012\n';
const KILLS = 12;

let folder: string;
let compiled: ReturnType<typeof compileSource>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'roll-settings-killed-'));
  compiled = compileSource(['core', 'adapters']);
});
afterAll(async () => {
  compiled.remove();
  await rm(folder, { recursive: true, force: true });
});

/** A worker of its own that sets and takes back, over and over, until it is killed some moments after it began. */
async function killWorker(order: ApplyOrder, afterMs: number): Promise<void> {
  const script = `
    const [folder, order] = process.argv.slice(1);
    const { applySettings, takeBackSettings } = await import(folder + '/adapters/dynamic-config/roll-settings.js');
    console.log('ready');
    for (;;) {
      await applySettings(JSON.parse(order));
      await takeBackSettings(JSON.parse(order));
    }`;
  const args = ['--input-type=module', '-e', script, '--', compiled.directory, JSON.stringify(order)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  await sleep(afterMs);
  child.kill('SIGKILL');
  await ended;
}

test('a worker killed at whatever line leaves whole files, and the next one brings them back', async () => {
  const file = join(folder, 'dynamic.yaml');
  const configDir = join(folder, 'node');
  await mkdir(configDir);
  await writeFile(join(configDir, 'lab.yaml'), `dynamicConfigClient: { filepath: "${file}", pollInterval: 10s }\n`);
  await writeFile(file, ORIGINAL);
  const order: ApplyOrder = {
    record: join(folder, 'data', 'roll-settings.json'),
    nodes: [{ name: 'history-1', role: 'history', running: false, configDir, configEnv: 'lab' }],
    settings: [{ key: 'history.alignMembershipChange', value: '10s', role: 'history', why: 'w', source: 's' }],
  };
  await applySettings(order);
  const set = await readFile(file, 'utf8');
  await takeBackSettings(order);

  for (let kill = 0; kill < KILLS; kill += 1) {
    await killWorker(order, kill * 3);
    expect([ORIGINAL, set]).toContain(await readFile(file, 'utf8'));
    if (kill % 2 === 0) {
      await applySettings(order);
      expect(await readFile(file, 'utf8')).toBe(set);
    }
    await takeBackSettings(order);
    expect(await readFile(file, 'utf8')).toBe(ORIGINAL);
  }
  expect((await readdir(folder)).toSorted()).toEqual(['data', 'dynamic.yaml', 'node']);
});
