import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createToolResolver } from '../../../src/adapters/tools/tool-resolver.js';
import { ToolUnavailableError } from '../../../src/adapters/tools/tools.js';
import { packSource, schemaScripts, startReleaseServer } from '../../helpers/release-server.js';

const STORE = 'postgresql/v12/temporal';
const archive = '/temporalio/temporal/archive/refs/tags/v1.22.4.tar.gz';

let folder: string;
let files: Map<string, Buffer | string>;
let server: Awaited<ReturnType<typeof startReleaseServer>>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'schema-scripts-'));
  const source = { ...schemaScripts(), 'go.mod': 'module x', 'docs/schema/other.sql': '' };
  files = new Map([[archive, await packSource('temporal-1.22.4', source)]]);
  server = await startReleaseServer(files);
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const tools = () => join(folder, 'cache/tools');
const kept = () => join(tools(), 'temporal-server-1.22.4');

function resolver(toolsDir = '') {
  const cacheDir = join(folder, 'cache');
  return createToolResolver({ toolsDir, path: '', cacheDir, releasesUrl: server.url, allowBuild: false });
}

async function failureOf(promise: Promise<unknown>): Promise<ToolUnavailableError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ToolUnavailableError) return error;
  throw new Error(`expected a ToolUnavailableError, got ${String(error)}`);
}

/** Puts the scripts of a release into a folder of an operator, with some of them changed. */
async function writeScripts(root: string, changes: Readonly<Record<string, string>> = {}): Promise<void> {
  for (const [path, text] of Object.entries({ ...schemaScripts(), ...changes })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

test('takes the scripts, and nothing else, out of the source archive, once', async () => {
  const scripts = await resolver().schemaScripts(STORE, '1.22.4');
  expect(scripts).toBe(join(kept(), 'schema/postgresql/v12/temporal/versioned'));
  expect(await readFile(join(scripts, 'v1.0/base.sql'), 'utf8')).toContain('CREATE TABLE');
  expect(await readdir(kept())).toEqual(['schema']);
  await resolver().schemaScripts('postgresql/v12/visibility', '1.22.4');
  expect(server.requests).toEqual([archive]);
});

test('takes the configured folder by the version in its name, before anything else', async () => {
  const configured = join(folder, 'configured');
  await writeScripts(join(configured, '1.22.4'));
  expect(await resolver(configured).schemaScripts(STORE, '1.22.4')).toBe(
    join(configured, '1.22.4/schema/postgresql/v12/temporal/versioned'),
  );
  expect(server.requests).toEqual([]);
  const error = await failureOf(resolver(configured).schemaScripts(STORE, '1.21.6'));
  expect(error.tried[0]).toEqual({
    place: `TEMPORAL_UPGRADE_TOOLS_DIR ${configured}`,
    reason: 'has no 1.21.6/schema',
  });
});

test.each([
  [
    'a listed file',
    {
      'schema/postgresql/v12/temporal/versioned/v1.0/manifest.json': JSON.stringify({
        CurrVersion: '1.0',
        SchemaUpdateCqlFiles: ['gone.sql'],
      }),
    },
    'lacks its gone.sql',
  ],
  ['its manifest', { 'schema/postgresql/v12/temporal/versioned/v1.1/base.sql': '' }, 'ENOENT'],
])('refuses scripts in the configured folder that lack %s, and tries nothing else', async (_, changes, reason) => {
  const configured = join(folder, 'configured');
  await writeScripts(join(configured, '1.22.4'), changes);
  const error = await failureOf(resolver(configured).schemaScripts(STORE, '1.22.4'));
  expect(error.message).toContain(reason);
  expect(error.message).toContain('nothing else was tried');
  expect(server.requests).toEqual([]);
});

test('brings scripts anew that are not whole in the cache', async () => {
  const file = join(await resolver().schemaScripts(STORE, '1.22.4'), 'v1.0/base.sql');
  await rm(file);
  await resolver().schemaScripts(STORE, '1.22.4');
  expect(await readFile(file, 'utf8')).toContain('CREATE TABLE');
  expect(server.requests).toHaveLength(2);
});

test('says where scripts were looked for and what helps, and leaves nothing of a bad archive', async () => {
  files.set(archive, await packSource('temporal-1.22.4', { 'go.mod': 'module x' }));
  const error = await failureOf(resolver(join(folder, 'nowhere')).schemaScripts(STORE, '1.22.4'));
  expect(error).toMatchObject({ tool: 'schema scripts', version: '1.22.4' });
  expect(error.tried.map(({ place }) => place)).toEqual([
    expect.stringContaining('TEMPORAL_UPGRADE_TOOLS_DIR'),
    expect.stringContaining('cache '),
    `source archive of v1.22.4 from ${server.url}`,
  ]);
  expect(error.message).toContain('FOLDER/1.22.4/schema');
  expect(await readdir(tools())).toEqual([]);
  files.delete(archive);
  expect((await failureOf(resolver().schemaScripts(STORE, '1.22.4'))).message).toContain('v1.22.4.tar.gz answered 404');
});

test('stops when it is cancelled, frees the lock and leaves nothing', async () => {
  server.state.stallAt = archive;
  const abort = new AbortController();
  const found = resolver().schemaScripts(STORE, '1.22.4', { signal: abort.signal });
  const ended = expect(found).rejects.toThrow('the operator cancelled');
  await server.halfSent;
  abort.abort(new Error('the operator cancelled'));
  await ended;
  expect(await readdir(tools())).toEqual([]);
});
