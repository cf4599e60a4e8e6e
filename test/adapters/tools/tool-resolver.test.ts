import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createToolResolver, type ToolResolverOptions } from '../../../src/adapters/tools/tool-resolver.js';
import { ToolUnavailableError } from '../../../src/adapters/tools/tools.js';
import { compileSource } from '../../helpers/compiled-source.js';
import { packArchive, sha256, startReleaseServer, writeProgram } from '../../helpers/release-server.js';

const platform = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`;
const archive = `temporal_1.29.1_${platform}.tar.gz`;
const release = '/temporalio/temporal/releases/download/v1.29.1';
const cliArchive = `temporal_cli_1.5.1_${platform}.tar.gz`;
const cliRelease = '/temporalio/cli/releases/download/v1.5.1';
const programs = {
  'temporal-server': 'temporal version 1.29.1',
  'temporal-sql-tool': 'temporal-sql-tool version 1.29.1',
  'temporal-cassandra-tool': 'temporal-cassandra-tool version 1.29.1',
};

let compiled: ReturnType<typeof compileSource>;
let folder: string;
let files: Map<string, Buffer | string>;
let server: Awaited<ReturnType<typeof startReleaseServer>>;
let children: ChildProcess[];

beforeAll(() => {
  compiled = compileSource(['core', 'adapters']);
});
afterAll(() => compiled.remove());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tool-resolver-'));
  const packed = await packArchive(programs);
  const cli = await packArchive({ temporal: 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)' });
  files = new Map<string, Buffer | string>([
    [`${release}/${archive}`, packed],
    [
      `${release}/checksums.txt`,
      `${'0'.repeat(64)}  temporal_1.29.1_plan9_mips.tar.gz\n${sha256(packed)}  ${archive}\n`,
    ],
    [`${cliRelease}/${cliArchive}`, cli],
    [`${cliRelease}/checksums.txt`, `${sha256(cli)}  ${cliArchive}\n`],
  ]);
  server = await startReleaseServer(files);
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const cacheDir = () => join(folder, 'cache');
const cached = (name: string) => join(cacheDir(), 'tools/temporal-server-1.29.1', name);

/** Nothing of this machine: no configured folder, an empty PATH, a new cache, the server of the test. */
function resolver(options: ToolResolverOptions = {}) {
  return createToolResolver({
    toolsDir: '',
    path: '',
    cacheDir: cacheDir(),
    releasesUrl: server.url,
    allowBuild: false,
    lockStaleMs: 2_000,
    ...options,
  });
}

/** Everything in the cache, except folders and the lock. */
async function cachedFiles(): Promise<string[]> {
  const entries = await readdir(cacheDir(), { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

async function failureOf(promise: Promise<unknown>): Promise<ToolUnavailableError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ToolUnavailableError)) throw new Error('expected a ToolUnavailableError', { cause: error });
  return error;
}

/** The same resolver in a process of its own; prints the path that it found. */
function startProcess(): ChildProcess {
  const program = `
    import { createToolResolver } from ${JSON.stringify(join(compiled.directory, 'adapters/tools/tool-resolver.js'))};
    const options = ${JSON.stringify({ toolsDir: '', path: '', cacheDir: cacheDir(), releasesUrl: server.url, allowBuild: false, lockStaleMs: 2_000 })};
    console.log(await createToolResolver(options).serverTool('temporal-server', '1.29.1'));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

async function outputOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  return text.trim();
}

test('takes the configured folder first, then PATH, then the cache, then the archive', async () => {
  const toolsDir = join(folder, 'tools');
  const path = join(folder, 'bin');
  const configured = await writeProgram(join(toolsDir, 'temporal-server'), 'temporal version 1.29.1');
  const onPath = await writeProgram(join(path, 'temporal-server'), 'temporal version 1.29.1');
  await writeProgram(cached('temporal-server'), 'temporal version 1.29.1');
  const all = resolver({ toolsDir, path });
  const find = () => all.serverTool('temporal-server', '1.29.1');

  expect(await find()).toBe(configured);
  await rm(configured);
  expect(await find()).toBe(onPath);
  await rm(onPath);
  expect(await find()).toBe(cached('temporal-server'));
  expect(server.requests).toEqual([]);
  await rm(cached('temporal-server'));
  expect(await find()).toBe(cached('temporal-server'));
  expect(server.requests).toEqual([`${release}/checksums.txt`, `${release}/${archive}`]);
});

test('takes the folder of the version from a configured folder that has several', async () => {
  const toolsDir = join(folder, 'tools');
  await writeProgram(join(toolsDir, '1.30.7/temporal-sql-tool'), 'temporal-sql-tool version 1.30.7');
  const wanted = await writeProgram(join(toolsDir, '1.29.1/temporal-sql-tool'), 'temporal-sql-tool version 1.29.1');
  expect(await resolver({ toolsDir }).serverTool('temporal-sql-tool', '1.29.1')).toBe(wanted);
});

test('refuses another version in the configured folder, and names file, version found and version needed', async () => {
  const toolsDir = join(folder, 'tools');
  const file = await writeProgram(join(toolsDir, 'temporal-sql-tool'), 'temporal-sql-tool version 1.30.7');
  const error = await failureOf(resolver({ toolsDir }).serverTool('temporal-sql-tool', '1.29.1'));
  expect(error.tried).toHaveLength(1);
  expect(error.tried[0]).toMatchObject({ place: file });
  expect(error.tried[0]?.reason).toContain('it is version 1.30.7, needed is 1.29.1');
  expect(server.requests).toEqual([]);
});

test('passes over another version on PATH and takes a later folder', async () => {
  const [first, second] = [join(folder, 'a'), join(folder, 'b')];
  await writeProgram(join(first, 'temporal-sql-tool'), 'temporal-sql-tool version 1.30.7');
  const wanted = await writeProgram(join(second, 'temporal-sql-tool'), 'temporal-sql-tool version 1.29.1');
  expect(await resolver({ path: `${first}:${second}` }).serverTool('temporal-sql-tool', '1.29.1')).toBe(wanted);
});

test('keeps every program of an archive, tells of the download, and does not download again', async () => {
  const progress: string[] = [];
  const tools = resolver();
  await tools.serverTool('temporal-server', '1.29.1', { onProgress: (line) => progress.push(line) });
  for (const name of ['temporal-sql-tool', 'temporal-cassandra-tool'] as const) {
    expect(await tools.serverTool(name, '1.29.1')).toBe(cached(name));
  }
  expect(server.requests).toHaveLength(2);
  expect(progress.at(-1)).toMatch(new RegExp(`^downloading ${archive}: [0-9.]+ MiB of [0-9.]+ MiB$`));
  expect((await cachedFiles()).sort()).toEqual(Object.keys(programs).sort());
});

test('brings the Temporal CLI, and takes a newer one from PATH but not one that is too old', async () => {
  const kept = join(cacheDir(), 'tools/temporal-cli-1.5.1/temporal');
  const path = join(folder, 'bin');
  await writeProgram(join(path, 'temporal'), 'temporal version 1.1.2 (Server 1.25.2, UI 2.31.2)');
  expect(await resolver({ path }).temporalCli()).toBe(kept);
  const newer = await writeProgram(join(path, 'temporal'), 'temporal version 1.6.0 (Server 1.30.0, UI 2.45.0)');
  expect(await resolver({ path }).temporalCli()).toBe(newer);
});

test('reads the version that Go wrote into a CLI that itself knows none', async () => {
  const toolsDir = join(folder, 'tools');
  const file = await writeProgram(
    join(toolsDir, 'temporal'),
    'temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)"\nexit\nmod\tgithub.com/temporalio/cli\tv1.5.1\th1:x\n"',
  );
  expect(await resolver({ toolsDir }).temporalCli()).toBe(file);
});

test('believes the server beside a schema tool that knows no version, and refuses one that stands alone', async () => {
  const toolsDir = join(folder, 'tools');
  const file = await writeProgram(join(toolsDir, 'temporal-sql-tool'), 'temporal-sql-tool version 0.0.1');
  const alone = await failureOf(resolver({ toolsDir }).serverTool('temporal-sql-tool', '1.28.1'));
  expect(alone.message).toContain('its version cannot be told');
  await writeProgram(join(toolsDir, 'temporal-server'), 'temporal version 1.28.1');
  expect(await resolver({ toolsDir }).serverTool('temporal-sql-tool', '1.28.1')).toBe(file);
});

test.each([
  ['a wrong checksum', () => files.set(`${release}/checksums.txt`, `${'1'.repeat(64)}  ${archive}\n`), 'SHA-256'],
  ['no checksum', () => files.set(`${release}/checksums.txt`, 'nothing\n'), `has no SHA-256 for ${archive}`],
  ['no checksums file', () => files.delete(`${release}/checksums.txt`), 'checksums.txt answered 404'],
  ['no archive', () => files.delete(`${release}/${archive}`), `${archive} answered 404`],
])('refuses a release with %s and leaves nothing of it', async (_name, spoil, reason) => {
  spoil();
  const error = await failureOf(resolver().serverTool('temporal-server', '1.29.1'));
  expect(error.message).toContain(reason);
  expect(await cachedFiles()).toEqual([]);
});

test('refuses an archive with programs of another version', async () => {
  const packed = await packArchive({ ...programs, 'temporal-server': 'temporal version 1.29.0' });
  files.set(`${release}/${archive}`, packed).set(`${release}/checksums.txt`, `${sha256(packed)}  ${archive}\n`);
  const error = await failureOf(resolver().serverTool('temporal-server', '1.29.1'));
  expect(error.message).toContain('it is version 1.29.0, needed is 1.29.1');
  expect(await cachedFiles()).toEqual([]);
});

test('brings a program anew when the file in the cache is not whole', async () => {
  await mkdir(join(cacheDir(), 'tools/temporal-server-1.29.1'), { recursive: true });
  await writeFile(cached('temporal-server'), '', { mode: 0o755 });
  const file = await resolver().serverTool('temporal-server', '1.29.1');
  expect(await readFile(file, 'utf8')).toContain('1.29.1');
});

test('fetches once when two processes need the same release at once', async () => {
  const both = await Promise.all([outputOf(startProcess()), outputOf(startProcess())]);
  expect(both).toEqual([cached('temporal-server'), cached('temporal-server')]);
  expect(server.requests).toHaveLength(2);
});

test('does not use the half of a download whose process was killed, and the next one cleans up after it', async () => {
  server.state.stallAt = `${release}/${archive}`;
  const child = startProcess();
  while (!(await cachedFiles()).includes(archive)) await setTimeout(20);
  child.kill('SIGKILL');
  await once(child, 'close');

  server.state.stallAt = undefined;
  const progress: string[] = [];
  const file = await resolver().serverTool('temporal-server', '1.29.1', { onProgress: (line) => progress.push(line) });
  expect(file).toBe(cached('temporal-server'));
  expect(progress[0]).toMatch(/^waiting for another process/);
  expect((await cachedFiles()).sort()).toEqual(Object.keys(programs).sort());
  expect((await readdir(join(cacheDir(), 'tools'))).sort()).toEqual(['temporal-server-1.29.1']);
});

test('stops when it is cancelled, frees the lock and leaves nothing', async () => {
  server.state.stallAt = `${release}/${archive}`;
  const abort = new AbortController();
  const found = resolver().serverTool('temporal-server', '1.29.1', { signal: abort.signal });
  const ended = expect(found).rejects.toThrow('the operator cancelled');
  await server.halfSent;
  abort.abort(new Error('the operator cancelled'));
  await ended;
  expect(await readdir(join(cacheDir(), 'tools'))).toEqual([]);
});

test('says every place that was tried with its reason, and what an operator can do', async () => {
  await server.close();
  const path = join(folder, 'bin');
  await writeProgram(join(path, 'temporal-sql-tool'), 'temporal-sql-tool version 1.30.7');
  const toolsDir = join(folder, 'nowhere');
  const error = await failureOf(resolver({ toolsDir, path }).serverTool('temporal-sql-tool', '1.29.1'));
  expect(error).toMatchObject({ tool: 'temporal-sql-tool', version: '1.29.1' });
  expect(error.tried.map(({ reason }) => reason)).toEqual([
    'no such folder',
    'it is version 1.30.7, needed is 1.29.1',
    'not there',
    expect.stringContaining('cannot be reached'),
  ]);
  for (const help of ['TEMPORAL_UPGRADE_TOOLS_DIR', 'TEMPORAL_UPGRADE_RELEASES_URL', 'install Go']) {
    expect(error.message).toContain(help);
  }
  server = await startReleaseServer(files); // for afterEach
});

test('looks for a program without bringing it, and says where it would come from', async () => {
  const tools = resolver();
  const place = await tools.lookForServerTool('temporal-sql-tool', '1.29.1');
  expect(place).toMatchObject({
    from: [`archive ${archive} from ${server.url}`],
    tried: [{ place: 'PATH' }, { place: `cache ${cached('temporal-sql-tool')}`, reason: 'not there' }],
  });
  expect(await cachedFiles()).toEqual([]);

  await tools.serverTool('temporal-sql-tool', '1.29.1');
  expect(await tools.lookForServerTool('temporal-sql-tool', '1.29.1')).toEqual({ at: cached('temporal-sql-tool') });
});

test('looks no further where the configured folder has another version', async () => {
  await writeProgram(join(folder, 'tools/temporal-sql-tool'), 'temporal-sql-tool version 1.28.1');
  const place = await resolver({ toolsDir: join(folder, 'tools') }).lookForServerTool('temporal-sql-tool', '1.29.1');
  expect(place).toMatchObject({ from: [], tried: [{ reason: expect.stringContaining('it is version 1.28.1') }] });
});
