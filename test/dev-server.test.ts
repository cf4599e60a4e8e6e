import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, test } from '@jest/globals';
import { createToolResolver } from '../src/adapters/tools/tool-resolver.js';
import { startDevServer } from '../src/dev-server.js';
import { findFreePorts } from '../src/lab/free-ports.js';

test('the embedded control plane keeps its database in a folder that is named relative to where one is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dev-server-'));
  const [port = 0, uiPort = 0] = await findFreePorts(2);
  const options = { port, uiPort, tools: createToolResolver() };
  const server = await startDevServer({ ...options, dataDir: join(relative(process.cwd(), folder), 'control-plane') });
  try {
    expect(server.address).toBe(`127.0.0.1:${port}`);
    expect((await stat(join(folder, 'control-plane', 'control-plane.db'))).size).toBeGreaterThan(0);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}, 90_000);
