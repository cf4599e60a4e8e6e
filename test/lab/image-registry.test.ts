import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { runCommand } from '../../src/adapters/run-command.js';
import { makeImage } from '../../src/lab/kubernetes/node/image.js';
import { startRegistry, type Registry } from '../../src/lab/kubernetes/node/registry.js';

/** Images of the lab as a node pulls them: a manifest by tag, and by digest all that it names. */

const IMAGE = 'temporalio/server';
let folder: string;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-registry-'));
  registry = await startRegistry(folder);
});
afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

const ask = (path: string, method = 'GET') => fetch(`${registry.url}/v2/${IMAGE}/${path}`, { method });
const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const Part = z.object({ digest: z.string(), size: z.number() });
const Manifest = z.object({ config: Part, layers: z.array(Part) });

test('an image that is made while the registry runs is found by its tag, and each part of it is what its digest says', async () => {
  expect((await ask('manifests/1.2.3')).status).toBe(404);
  const program = join(folder, 'program');
  await writeFile(program, 'a program');
  await makeImage(folder, `${IMAGE}:1.2.3`, {
    programs: { '/usr/local/bin/program': program },
    folders: ['/etc/program'],
    entrypoint: ['/usr/local/bin/program', 'serve'],
  });

  const head = await ask('manifests/1.2.3', 'HEAD');
  const digest = head.headers.get('docker-content-digest') ?? '';
  const bytes = await (await ask(`manifests/${digest}`)).bytes();
  expect(digestOf(bytes)).toBe(digest);
  expect(head.headers.get('content-length')).toBe(String(bytes.length));

  const { config, layers } = Manifest.parse(JSON.parse(new TextDecoder().decode(bytes)));
  const [layer] = layers;
  const packed = await (await ask(`blobs/${layer?.digest}`)).bytes();
  expect([digestOf(packed), packed.length]).toEqual([layer?.digest, layer?.size]);
  expect(await (await ask(`blobs/${config.digest}`)).json()).toMatchObject({
    config: { User: '1000', Entrypoint: ['/usr/local/bin/program', 'serve'] },
    rootfs: { diff_ids: [layer?.digest] },
  });
  await writeFile(join(folder, 'layer.tar'), packed);
  const { stdout } = await runCommand('tar', [
    '--list',
    '--verbose',
    '--numeric-owner',
    '--file',
    join(folder, 'layer.tar'),
  ]);
  expect(stdout).toMatch(/^-rwxr-xr-x 1000\/1000 .* \.\/usr\/local\/bin\/program$/m);
  expect(stdout).toMatch(/^drwxr-xr-x 1000\/1000 .* \.\/etc\/program\/$/m);
});

test.each([
  'manifests/9.9.9',
  'manifests/..',
  'blobs/sha256:0',
  `blobs/sha256:${'0'.repeat(64)}`,
  'blobs/..%2f..%2fetc',
  'tags/list',
])('what is not there is not found: %s', async (path) => {
  expect((await ask(path)).status).toBe(404);
});
