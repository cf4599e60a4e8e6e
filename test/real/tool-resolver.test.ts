import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { runCommand } from '../../src/adapters/run-command.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { ServerTool } from '../../src/adapters/tools/tools.js';
import { compileSource } from '../helpers/compiled-source.js';
import { writeGoModule } from '../helpers/go-module-proxy.js';
import { schemaScripts } from '../helpers/release-server.js';

const SERVER_TOOLS: readonly ServerTool[] = ['temporal-server', 'temporal-sql-tool', 'temporal-cassandra-tool'];
/** A build of the real programs, should this machine have none yet. */
const BUILD_MS = 30 * 60_000;

test(
  'finds or brings the real programs of a release and the Temporal CLI, each of the version that it says',
  async () => {
    const resolver = createToolResolver();
    for (const tool of SERVER_TOOLS) {
      const { stdout } = await runCommand(await resolver.serverTool(tool, '1.29.1'), ['--version']);
      expect(stdout).toContain('version 1.29.1');
    }
    const { stdout } = await runCommand(await resolver.temporalCli(), ['--version']);
    expect(stdout).toMatch(/^temporal version .*Server 1\./);
  },
  BUILD_MS,
);

test(
  'refuses the real programs of one version for another',
  async () => {
    const server = await createToolResolver().serverTool('temporal-server', '1.29.1');
    const configured = createToolResolver({ toolsDir: dirname(server) });
    await expect(configured.serverTool('temporal-server', '1.30.7')).rejects.toThrow(
      `${server}: it is version 1.29.1, needed is 1.30.7`,
    );
  },
  BUILD_MS,
);

let compiled: ReturnType<typeof compileSource>;
let folder: string;
let before: NodeJS.ProcessEnv;

beforeAll(() => {
  compiled = compileSource(['core', 'adapters']);
});
afterAll(() => compiled.remove());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'go-install-'));
  before = { ...process.env };
});
afterEach(async () => {
  for (const name of Object.keys(process.env))
    if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, before);
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

const sayVersion = (name: string, version: string) =>
  `package main\n\nfunc main() { println("${name} version ${version}") }\n`;

/** Lets Go take its modules from a proxy of the test, with this module in it, and nothing from anywhere else. */
async function provideServerModule(
  version: string,
  server = sayVersion('temporal', version),
  goMod = '',
): Promise<void> {
  process.env['GOPROXY'] = await writeGoModule(join(folder, 'proxy'), {
    path: 'go.temporal.io/server',
    version,
    goMod,
    files: {
      ...schemaScripts(),
      'cmd/server/main.go': server,
      'cmd/tools/sql/main.go': sayVersion('temporal-sql-tool', version),
      'cmd/tools/cassandra/main.go': sayVersion('temporal-cassandra-tool', version),
    },
  });
  process.env['GONOSUMDB'] = '*';
  process.env['GOMODCACHE'] = join(folder, 'modules');
  process.env['GOFLAGS'] = '-modcacherw';
}

const options = () => ({
  toolsDir: '',
  path: '',
  cacheDir: join(folder, 'cache'),
  releasesUrl: 'http://127.0.0.1:1', // nothing answers there, so no archive can be reached
  lockStaleMs: 2_000,
});

function startProcess(version: string) {
  const program = `
    import { createToolResolver } from ${JSON.stringify(join(compiled.directory, 'adapters/tools/tool-resolver.js'))};
    await createToolResolver(${JSON.stringify(options())}).serverTool('temporal-server', '${version}');`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'ignore', 'inherit'] });
}

test('builds with Go what no archive can be had of, under the names of the archive, and tells of it', async () => {
  await provideServerModule('1.20.98');
  const progress: string[] = [];
  const resolver = createToolResolver(options());
  for (const tool of SERVER_TOOLS) {
    const file = await resolver.serverTool(tool, '1.20.98', { onProgress: (line) => progress.push(line) });
    expect(file).toBe(join(folder, 'cache/tools/temporal-server-1.20.98', tool));
  }
  expect(progress.filter((line) => /^building .* with go[\d.]+$/.test(line))).toHaveLength(1);
  const file = await resolver.serverTool('temporal-server', '1.20.98');
  const { stdout } = await runCommand('go', ['version', '-m', file]);
  expect(stdout).toContain('-tags=protolegacy');
}, 120_000);

test('builds in the source of the release what Go does not install, such as a module that replaces another', async () => {
  await provideServerModule(
    '1.20.97',
    sayVersion('temporal', '1.20.97'),
    'replace example.com/a => example.com/b v1.0.0\n',
  );
  const resolver = createToolResolver(options());
  for (const tool of SERVER_TOOLS) {
    const file = await resolver.serverTool(tool, '1.20.97');
    const { stderr } = await runCommand(file, ['--version']);
    expect(stderr).toBe(`${tool === 'temporal-server' ? 'temporal' : tool} version 1.20.97`);
  }
}, 120_000);

test('takes schema scripts out of the Go module, and the program beside them stays', async () => {
  await provideServerModule('1.20.96');
  const resolver = createToolResolver(options());
  const server = await resolver.serverTool('temporal-server', '1.20.96');
  const scripts = await resolver.schemaScripts('postgresql/v12/visibility', '1.20.96');
  const kept = join(folder, 'cache/tools/temporal-server-1.20.96');
  expect(scripts).toBe(join(kept, 'schema/postgresql/v12/visibility/versioned'));
  expect((await readdir(join(scripts, 'v1.0'))).sort()).toEqual(['base.sql', 'manifest.json']);
  expect(await resolver.serverTool('temporal-server', '1.20.96')).toBe(server);
  await expect(resolver.schemaScripts('mysql/v8/temporal', '1.20.96')).rejects.toThrow(
    /go mod download go\.temporal\.io\/server@v1\.20\.96: .*mysql\/v8\/temporal/,
  );
  await writeFile(join(scripts, 'v1.0/manifest.json'), ''); // what a full disk leaves
  expect(await resolver.schemaScripts('postgresql/v12/visibility', '1.20.96')).toBe(scripts);
  expect(await readdir(join(folder, 'cache/tools'))).toEqual(['temporal-server-1.20.96']);
}, 120_000);

test('says what the compiler said when a build fails, and leaves nothing of it', async () => {
  await provideServerModule('1.97.0', 'package main\n\nfunc main() { nonsense() }\n');
  const found = createToolResolver(options()).serverTool('temporal-server', '1.97.0');
  await expect(found).rejects.toThrow(
    /go install go\.temporal\.io\/server@v1\.97\.0: go ended with exit code 1:[^]*nonsense/,
  );
  expect(await readdir(join(folder, 'cache/tools'))).toEqual([]);
}, 120_000);

test('builds anew, and whole, after a process that was killed in the middle of a build', async () => {
  await provideServerModule('1.98.0');
  // Go runs its compiler through this, so the build stands still until the file is gone.
  const hold = join(folder, 'hold');
  const gate = join(folder, 'gate.sh');
  await writeFile(hold, '');
  await writeFile(
    gate,
    `#!/bin/sh\ncase "$*" in *-V=full*) ;; *) while [ -e ${hold} ]; do sleep 0.1; done ;; esac\nexec "$@"\n`,
    { mode: 0o755 },
  );
  process.env['GOFLAGS'] = `-modcacherw -toolexec=${gate}`;
  const child = startProcess('1.98.0');
  const tools = join(folder, 'cache/tools');
  const isBuilding = async () => {
    const names = await readdir(tools, { recursive: true }).catch(() => []);
    return names.some((name) => /\.incoming-[^/]+\/bin$/.test(name));
  };
  while (!(await isBuilding())) await setTimeout(50);
  child.kill('SIGKILL');
  await once(child, 'close');
  await rm(hold);

  const file = await createToolResolver(options()).serverTool('temporal-server', '1.98.0');
  const { stderr } = await runCommand(file, ['--version']);
  expect(stderr).toBe('temporal version 1.98.0');
  expect((await readdir(join(tools, 'temporal-server-1.98.0'))).sort()).toEqual([...SERVER_TOOLS].sort());
}, 120_000);
