import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';

/**
 * Who may import whom; docs/architecture.md draws it. A room is a folder of src, or a file at its top. Arrows go one way:
 * a room may import only from rooms above it in this list, and of libraries only those named (`node:` is all of Node).
 */
const ROOMS: readonly {
  readonly room: string;
  readonly rooms: readonly string[];
  readonly libraries: readonly string[];
}[] = [
  { room: 'core', rooms: [], libraries: ['zod', 'semver', 'ms', 'luxon'] },
  { room: 'report', rooms: ['core'], libraries: [] },
  { room: 'page', rooms: ['core', 'report'], libraries: ['echarts', 'preact', 'preact-render-to-string'] },
  { room: 'contract', rooms: ['core'], libraries: ['@temporalio/common'] },
  {
    room: 'workflows',
    rooms: ['core', 'contract', 'report'],
    libraries: ['@temporalio/workflow', '@temporalio/common'],
  },
  {
    room: 'adapters',
    rooms: ['core'],
    libraries: [
      'node:',
      '@aws-sdk/client-s3',
      '@aws-sdk/lib-storage',
      '@kubernetes/client-node',
      'cassandra-driver',
      'execa',
      'nodemailer',
      'mysql2',
      'pg',
      'proper-lockfile',
      'protobufjs',
      'tar',
      'yaml',
      'zod',
      '@opensearch-project/opensearch',
      '@temporalio/client',
      '@temporalio/envconfig',
      '@temporalio/proto',
    ],
  },
  {
    room: 'load',
    rooms: ['core', 'adapters'],
    libraries: [
      'node:',
      'hdr-histogram-js',
      'uuid',
      'zod',
      '@temporalio/activity',
      '@temporalio/client',
      '@temporalio/common',
      '@temporalio/proto',
      '@temporalio/worker',
      '@temporalio/workflow',
    ],
  },
  {
    room: 'activities',
    rooms: ['core', 'contract', 'adapters', 'load', 'page', 'report'],
    libraries: ['node:', 'zod', '@temporalio/activity', '@temporalio/client'],
  },
  {
    room: 'tracing.ts',
    rooms: [],
    libraries: [
      'node:',
      '@opentelemetry/exporter-trace-otlp-proto',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace-base',
      '@opentelemetry/sdk-trace-node',
      '@temporalio/interceptors-opentelemetry',
      '@temporalio/worker',
    ],
  },
  {
    room: 'run-worker.ts',
    rooms: ['core', 'contract', 'adapters', 'activities', 'tracing.ts'],
    libraries: ['node:', '@temporalio/worker'],
  },
  { room: 'worker.ts', rooms: ['run-worker.ts'], libraries: [] },
  {
    room: 'client.ts',
    rooms: ['core', 'contract', 'adapters'],
    libraries: ['node:', '@temporalio/client', '@temporalio/common'],
  },
  { room: 'input-file.ts', rooms: ['core'], libraries: ['node:', 'yaml'] },
  { room: 'planning-offline.ts', rooms: ['core', 'adapters'], libraries: [] },
  { room: 'planning.ts', rooms: ['core', 'adapters'], libraries: [] },
  { room: 'observing.ts', rooms: ['core', 'adapters'], libraries: ['node:'] },
  { room: 'backups.ts', rooms: ['core', 'adapters'], libraries: ['node:', 'zod'] },
  { room: 'describing.ts', rooms: ['core', 'adapters'], libraries: ['node:'] },
  { room: 'dev-server.ts', rooms: ['core', 'contract', 'adapters'], libraries: ['node:'] },
  {
    room: 'dev.ts',
    rooms: ['contract', 'adapters', 'run-worker.ts', 'dev-server.ts'],
    libraries: [],
  },
  {
    room: 'cli',
    rooms: [
      'core',
      'contract',
      'report',
      'page',
      'client.ts',
      'input-file.ts',
      'planning-offline.ts',
      'planning.ts',
      'observing.ts',
      'backups.ts',
      'describing.ts',
      'run-worker.ts',
      'dev.ts',
    ],
    libraries: ['node:', 'commander', 'yaml'],
  },
  { room: 'compile-cache.ts', rooms: ['adapters'], libraries: ['node:'] },
  { room: 'cli.ts', rooms: ['cli', 'compile-cache.ts'], libraries: [] },
  {
    room: 'lab',
    rooms: ['core', 'contract', 'report', 'adapters', 'client.ts', 'dev-server.ts'],
    libraries: ['node:', 'proper-lockfile', 'pg', 'yaml', 'zod', '@temporalio/client', '@temporalio/common'],
  },
  { room: 'demo', rooms: ['core', 'adapters', 'lab'], libraries: ['node:'] },
  { room: 'tutorial', rooms: ['core', 'adapters', 'lab'], libraries: ['node:'] },
  {
    room: 'march',
    rooms: ['core', 'adapters', 'lab'],
    libraries: ['node:', '@temporalio/client', '@temporalio/worker', '@temporalio/workflow'],
  },
  {
    room: 'bench',
    rooms: ['core', 'adapters', 'load', 'client.ts', 'lab'],
    libraries: [
      'node:',
      'echarts',
      'long',
      'protobufjs',
      'yaml',
      '@temporalio/client',
      '@temporalio/common',
      '@temporalio/proto',
    ],
  },
  { room: 'catalogue-builder', rooms: ['core', 'adapters', 'lab'], libraries: ['node:', 'pg', 'zod'] },
];

/** Rooms inside core: each may import core's own files (words that all share) and the rooms above it. */
const CORE_ROOMS = [
  'input',
  'pods',
  'charts',
  'catalogue',
  'schema',
  'planning',
  'measuring',
  'survey',
  'running-work',
  'restoring',
  'settling',
  'judging',
  'checks',
] as const;

const SRC = fileURLToPath(new URL('../src', import.meta.url));

interface Import {
  readonly file: string;
  readonly room: string;
  /** A room of src, or the name of a library; `node:` for all of Node. */
  readonly to: string;
  readonly isLibrary: boolean;
}

const imports: readonly Import[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .flatMap((file) =>
    ts.preProcessFile(readFileSync(join(SRC, file), 'utf8')).importedFiles.map(({ fileName }) => {
      const isLibrary = !fileName.startsWith('.');
      const to = isLibrary ? libraryOf(fileName) : roomOf(relative(SRC, resolve(SRC, dirname(file), fileName)));
      return { file, room: roomOf(file), to, isLibrary };
    }),
  );

function roomOf(file: string): string {
  const [first = ''] = file.split('/', 1);
  return first.replace(/\.js$/, '.ts');
}

type CoreRoom = (typeof CORE_ROOMS)[number];

/** From which room of core to which other one, by which file. */
function coreArrows(): [from: CoreRoom, to: CoreRoom, file: string][] {
  const core = join(SRC, 'core');
  const isRoom = (name: string | undefined): name is CoreRoom => CORE_ROOMS.some((room) => room === name);
  return readdirSync(core, { recursive: true, encoding: 'utf8' }).flatMap((file) => {
    const from = file.split('/')[0];
    if (!file.endsWith('.ts') || !isRoom(from)) return [];
    return ts.preProcessFile(readFileSync(join(core, file), 'utf8')).importedFiles.flatMap(({ fileName }) => {
      const to = relative(core, resolve(core, dirname(file), fileName)).split('/')[0];
      return isRoom(to) && to !== from ? [[from, to, file] as [CoreRoom, CoreRoom, string]] : [];
    });
  });
}

function libraryOf(name: string): string {
  if (name.startsWith('node:')) return 'node:';
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

test('there are imports to look at, in every room of the list', () => {
  const rooms = new Set(imports.map(({ room }) => room));
  expect([...rooms].sort()).toEqual(ROOMS.map(({ room }) => room).sort());
});

test('the list itself has no way back: a room imports only from rooms above it', () => {
  for (const [index, { rooms }] of ROOMS.entries()) {
    const above = ROOMS.slice(0, index).map(({ room }) => room);
    expect(above).toEqual(expect.arrayContaining([...rooms]));
  }
});

test('the list permits nothing that is not used', () => {
  const unused = ROOMS.flatMap(({ room, rooms, libraries }) =>
    [...rooms, ...libraries]
      .filter((permitted) => !imports.some((found) => found.room === room && found.to === permitted))
      .map((permitted) => `${room} does not import ${permitted}`),
  );
  expect(unused).toEqual([]);
});

describe('imports of', () => {
  test.each(ROOMS)('$room', ({ room, rooms, libraries }) => {
    const foreign = imports
      .filter((found) => found.room === room && found.to !== room)
      .filter(({ to, isLibrary }) => !(isLibrary ? libraries : rooms).includes(to))
      .map(({ file, to }) => `${file} imports ${to}`);
    expect(foreign).toEqual([]);
  });
});

test('rooms inside core: arrows go one way', () => {
  const found = readdirSync(join(SRC, 'core'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(found.map(({ name }) => name).sort()).toEqual([...CORE_ROOMS].sort());

  const wayBack = coreArrows()
    .filter(([from, to]) => CORE_ROOMS.indexOf(from) < CORE_ROOMS.indexOf(to))
    .map(([from, to, file]) => `${file}: ${from} imports ${to}`);
  expect(wayBack).toEqual([]);
});

test('scripts import what is built from a file that is there', () => {
  const root = resolve(SRC, '..');
  const built = readdirSync(join(root, 'scripts')).flatMap((name) =>
    [...readFileSync(join(root, 'scripts', name), 'utf8').matchAll(/from '\.\.\/dist\/(.+)\.js'/g)].map(
      ([, path = '']) => path,
    ),
  );
  expect(built.length).toBeGreaterThan(1);
  expect(built.filter((path) => !existsSync(join(SRC, `${path}.ts`)))).toEqual([]);
});

test('the Kubernetes client is imported by its own folder alone', () => {
  const users = imports.filter(({ to }) => to === '@kubernetes/client-node').map(({ file }) => dirname(file));
  expect(new Set(users)).toEqual(new Set(['adapters/kubernetes']));
});

/** The libraries that Node loads with a file of src before any of it runs: not what it imports as a type, or only when it is needed. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return new Set();
  seen.add(file);
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
  const names = source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const { moduleSpecifier: from } = statement;
    return from !== undefined && ts.isStringLiteral(from) && !isErased(statement) ? [from.text] : [];
  });
  return new Set(
    names.flatMap((name) =>
      name.startsWith('.') ? [...loadedWith(sourceOf(resolve(dirname(file), name)), seen)] : [libraryOf(name)],
    ),
  );
}

function sourceOf(built: string): string {
  const source = built.replace(/\.js$/, '.ts');
  return existsSync(source) ? source : `${source}x`;
}

function isErased(statement: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(statement)) return statement.isTypeOnly;
  const { importClause: clause } = statement;
  const named = clause?.namedBindings;
  if (clause?.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  return named !== undefined && ts.isNamedImports(named) && named.elements.every(({ isTypeOnly }) => isTypeOnly);
}

test('the command line loads what clusters are asked with only when a command asks one', () => {
  const loaded = loadedWith(join(SRC, 'cli/program.ts'));
  expect([...loaded].sort()).toEqual(['@temporalio/common', 'commander', 'node:', 'yaml', 'zod']);
  // Seen by the same eyes: what does ask one.
  expect([...loadedWith(join(SRC, 'planning.ts'))]).toEqual(
    expect.arrayContaining(['@temporalio/client', 'execa', 'pg']),
  );
});

test('a worker loads the largest libraries only for a target that needs them', () => {
  const loaded = loadedWith(join(SRC, 'run-worker.ts'));
  const large = ['@aws-sdk/client-s3', '@kubernetes/client-node', '@opensearch-project/opensearch', 'cassandra-driver'];
  expect([...large, 'mysql2'].filter((library) => loaded.has(library))).toEqual([]);
  expect(loaded).toContain('@temporalio/worker');
});

test('execa has one door', () => {
  const users = imports.filter(({ to }) => to === 'execa').map(({ file }) => file);
  expect(users).toEqual(['adapters/run-command.ts']);
});

test('what runs in a workflow sandbox imports nothing of Node', () => {
  const sandboxed = ['load/canary-workflows.ts', 'load/canary-plan.ts', 'march/marcher-workflow.ts'];
  const foreign = imports
    .filter(({ file, room }) => ['core', 'report', 'contract', 'workflows'].includes(room) || sandboxed.includes(file))
    .filter(
      ({ to }) => to === 'node:' || ['@temporalio/worker', '@temporalio/client', '@temporalio/activity'].includes(to),
    );
  expect(foreign).toEqual([]);
});
