import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ConfiguredNode, findDynamicFiles } from '../../../src/adapters/dynamic-config/dynamic-files.js';

/** Servers in containers: their configuration names paths that are others for the worker, so their driver says where a file is. */

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'found-by-driver-')));
  file = join(folder, 'dynamic.yaml');
  await writeFile(file, '{}\n');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const node = (more: Partial<ConfiguredNode>): ConfiguredNode => ({
  name: 'history',
  role: 'history',
  configDir: undefined,
  configEnv: 'docker',
  running: true,
  ...more,
});

test('the file is where the driver says, and is waited for as long as a server may take that says nothing of it', async () => {
  const logFile = join(folder, 'ctr.log');
  expect(await findDynamicFiles([node({ found: { file, logFile } })])).toEqual({
    files: [{ path: file, pollMs: 60_000, nodes: [{ name: 'history', role: 'history', running: true, logFile }] }],
    unreached: [],
  });
});

test('how often it is read, and what is logged, is said by the configuration where that can be read', async () => {
  const configDir = join(folder, 'config');
  await mkdir(configDir);
  const text = 'log: { level: warn }\ndynamicConfigClient: { filepath: /etc/temporal/x.yaml, pollInterval: 10s }\n';
  await writeFile(join(configDir, 'docker.yaml'), text);
  const found = { file, logFile: join(folder, 'ctr.log') };
  expect((await findDynamicFiles([node({ configDir, found })])).files).toMatchObject([
    { path: file, pollMs: 10_000, nodes: [{ logFile: undefined }] },
  ]);
});

test('one that cannot be edited is told with its reason, and so is one that is not there', async () => {
  const found = await findDynamicFiles([
    node({ name: 'a', found: { unreached: 'mounted as a single file' } }),
    node({ name: 'b', found: { file: join(folder, 'gone.yaml') } }),
  ]);
  expect(found).toEqual({
    files: [],
    unreached: [
      { node: 'a', reason: 'mounted as a single file' },
      { node: 'b', reason: `${join(folder, 'gone.yaml')} cannot be found by this worker (ENOENT)` },
    ],
  });
});
