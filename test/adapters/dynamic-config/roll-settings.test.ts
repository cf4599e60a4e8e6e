import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import {
  appendFile,
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfiguredNode } from '../../../src/adapters/dynamic-config/dynamic-files.js';
import { readDynamicConfig } from '../../../src/adapters/dynamic-config/read-dynamic-config.js';
import { applySettings, takeBackSettings } from '../../../src/adapters/dynamic-config/roll-settings.js';
import { PreconditionError } from '../../../src/core/errors.js';
import type { Role } from '../../../src/core/input/input.js';
import type { RollSetting } from '../../../src/core/plan.js';

const ORIGINAL = '# keep me\nfrontend.rps:   # ours\n- value: 0012\n';
const setting = (key: string, value: string, role: Role): RollSetting => ({ key, value, role, why: 'w', source: 's' });
const SETTINGS = [
  setting('history.alignMembershipChange', '10s', 'history'),
  setting('frontend.shutdownDrainDuration', '75s', 'frontend'),
];

let folder: string;
let record: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'roll-settings-'));
  record = join(folder, 'data', 'roll-settings.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A node with its configuration, which names `dynamicFile`. */
async function node(
  name: string,
  role: Role,
  dynamicFile: string | undefined,
  more: Partial<ConfiguredNode> & { readonly log?: string } = {},
): Promise<ConfiguredNode> {
  const configDir = join(folder, 'nodes', name);
  await mkdir(configDir, { recursive: true });
  const client =
    dynamicFile === undefined ? '' : `dynamicConfigClient: { filepath: "${dynamicFile}", pollInterval: 200ms }\n`;
  const { log = 'info', ...rest } = more;
  await writeFile(join(configDir, 'lab.yaml'), `log: { stdout: true, level: ${log} }\n${client}`);
  const running = rest.pid !== undefined;
  return { name, role, running, configDir, configEnv: 'lab', logFile: join(folder, `${name}.log`), ...rest };
}

async function dynamicFile(name = 'dynamic.yaml', text = ORIGINAL): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

const read = (file: string) => readFile(file, 'utf8');

test('written with mode, owner and a later time, taken back byte by byte; both twice', async () => {
  const file = await dynamicFile();
  await chmod(file, 0o640);
  await utimes(file, new Date(), new Date(Date.now() + 60_000)); // a clock that was wrong
  const nodes = [await node('history-1', 'history', file), await node('frontend-1', 'frontend', file)];
  const before = await stat(file);

  const done = await applySettings({ record, nodes, settings: SETTINGS });
  expect(done).toEqual({
    files: [{ path: file, keys: SETTINGS.map(({ key }) => key), kept: [] }],
    nodes: nodes.map(({ name }) => ({ node: name, pickedUp: 'not running' })),
    unreached: [],
  });
  const written = await stat(file);
  expect([written.mode, written.uid, written.gid]).toEqual([before.mode, before.uid, before.gid]);
  expect(written.mtimeMs).toBeGreaterThan(before.mtimeMs);
  const text = await read(file);
  expect(text).toContain('alignMembershipChange:\n  - value: 10s');
  expect(await applySettings({ record, nodes, settings: SETTINGS })).toEqual(done);
  expect(await read(file)).toBe(text);
  expect((await stat(record)).mode & 0o777).toBe(0o600);

  const back = await takeBackSettings({ record, nodes });
  expect(back.files).toEqual([{ path: file, keys: SETTINGS.map(({ key }) => key), kept: [] }]);
  expect(await read(file)).toBe(ORIGINAL);
  expect((await stat(file)).mtimeMs).toBeGreaterThan(written.mtimeMs);
  expect(await takeBackSettings({ record, nodes })).toEqual({ files: [], nodes: [], unreached: [] });
  expect((await readdir(folder)).filter((name) => name.includes('temporal-upgrade'))).toEqual([]);
});

test('nothing to take back where nothing was written', async () => {
  const nodes = [await node('history-1', 'history', await dynamicFile())];
  expect(await takeBackSettings({ record, nodes })).toMatchObject({ files: [] });
});

test('a file that nodes share, by whatever links, is written once; others get the keys of their role alone', async () => {
  const shared = await dynamicFile();
  const own = await dynamicFile('own.yaml', '');
  await symlink('dynamic.yaml', join(folder, 'link.yaml'));
  await mkdir(join(folder, 'mount'));
  await symlink('..', join(folder, 'mount', 'data'));
  const nodes = [
    await node('history-1', 'history', join(folder, 'link.yaml')),
    await node('frontend-1', 'frontend', join(folder, 'mount', 'data', 'dynamic.yaml')),
    await node('internal-1', 'internal-frontend', own),
  ];
  const { files } = await applySettings({ record, nodes, settings: SETTINGS });
  expect(files.map(({ path, keys }) => [path, keys.length])).toEqual([
    [shared, 2],
    [own, 1],
  ]);
  expect(await read(own)).toMatch(
    /^# Set by temporal-upgrade .*\nfrontend\.shutdownDrainDuration:\n {2}- value: 75s\n$/,
  );
  expect((await stat(join(folder, 'link.yaml'))).ino).toBe((await stat(shared)).ino);
  await takeBackSettings({ record, nodes });
  expect(await read(shared)).toBe(ORIGINAL);
  expect(await read(own)).toBe('');
});

test('the operator’s own value stays, before and after', async () => {
  const text = 'history.AlignMembershipChange:\n  - value: 3s\n';
  const file = await dynamicFile('dynamic.yaml', text);
  const nodes = [await node('history-1', 'history', file)];
  const { files } = await applySettings({ record, nodes, settings: SETTINGS });
  expect(files).toEqual([{ path: file, keys: [], kept: ['history.alignMembershipChange'] }]);
  expect(await read(file)).toBe(text);
  await takeBackSettings({ record, nodes });
  expect(await read(file)).toBe(text);
});

test('what somebody changes meanwhile stays, and only our keys go', async () => {
  const file = await dynamicFile();
  const nodes = [await node('history-1', 'history', file), await node('frontend-1', 'frontend', file)];
  await applySettings({ record, nodes, settings: SETTINGS });
  await writeFile(file, (await read(file)).replace('value: 75s', 'value: 5s').replace('0012', '0013'));
  expect((await takeBackSettings({ record, nodes })).files).toEqual([
    { path: file, keys: ['history.alignMembershipChange'], kept: [] },
  ]);
  const left = await read(file);
  expect(left).toMatch(/keep me[^]*0013[^]*shutdownDrainDuration:\n {2}- value: 5s/);
  expect(left).not.toContain('alignMembershipChange');
});

test('keys that somebody put away during the roll are set again by the next try, on top of their file', async () => {
  const file = await dynamicFile();
  const nodes = [await node('history-1', 'history', file), await node('frontend-1', 'frontend', file)];
  await applySettings({ record, nodes, settings: SETTINGS });
  await writeFile(file, 'frontend.rps:\n  - value: 99\n');
  await applySettings({ record, nodes, settings: SETTINGS });
  expect(await read(file)).toContain('10s');
  await takeBackSettings({ record, nodes });
  expect(await read(file)).toBe('frontend.rps:\n  - value: 99\n');
});

test('what an earlier roll left is taken back before other settings are written', async () => {
  const file = await dynamicFile();
  const nodes = [await node('history-1', 'history', file), await node('frontend-1', 'frontend', file)];
  await applySettings({ record, nodes, settings: SETTINGS });
  const other = [setting('history.shutdownDrainDuration', '10s', 'history')];
  expect((await applySettings({ record, nodes, settings: other })).files[0]?.keys).toEqual([
    'history.shutdownDrainDuration',
  ]);
  expect(await read(file)).not.toContain('alignMembershipChange');
  await takeBackSettings({ record, nodes });
  expect(await read(file)).toBe(ORIGINAL);
});

describe('a worker that dies', () => {
  /** Ends at the `count`th step, as far as a thrown error can: what `finally` tidies up, a kill leaves, and is tested below. */
  const dyingAt = (count: number) => {
    let left = count;
    return {
      onProgress: () => {
        left -= 1;
        if (left < 0) throw new Error('died');
      },
    };
  };

  test('at any step of either leaves what the next one finishes', async () => {
    for (const step of [0, 1, 2, 3]) {
      const files = [await dynamicFile('a.yaml'), await dynamicFile('b.yaml')];
      const nodes = [await node('history-1', 'history', files[0]), await node('frontend-1', 'frontend', files[1])];
      const died: unknown = await applySettings({ record, nodes, settings: SETTINGS }, dyingAt(step)).catch(String);
      if (step < 2) expect(died).toBe('Error: died');
      if (step % 2 === 0) await applySettings({ record, nodes, settings: SETTINGS });
      await takeBackSettings({ record, nodes }, dyingAt(step)).catch(() => undefined);
      await takeBackSettings({ record, nodes });
      for (const file of files) expect(await read(file)).toBe(ORIGINAL);
      await rm(record);
    }
  });

  test('in the middle of writing a file leaves a part, which is written over', async () => {
    const file = await dynamicFile();
    const nodes = [await node('history-1', 'history', file)];
    await writeFile(join(folder, '.dynamic.yaml.temporal-upgrade'), 'half of it');
    await applySettings({ record, nodes, settings: SETTINGS });
    expect(await read(file)).toContain('10s');
    await writeFile(join(folder, '.dynamic.yaml.temporal-upgrade'), 'half of it');
    await takeBackSettings({ record, nodes });
    expect(await readdir(folder)).not.toContain('.dynamic.yaml.temporal-upgrade');
  });

  test('before the file was replaced leaves a part, which is taken away with the rest', async () => {
    const file = await dynamicFile();
    const nodes = [await node('history-1', 'history', file)];
    await applySettings({ record, nodes, settings: SETTINGS });
    await writeFile(file, ORIGINAL);
    await writeFile(join(folder, '.dynamic.yaml.temporal-upgrade'), 'half');
    await takeBackSettings({ record, nodes });
    expect(await read(file)).toBe(ORIGINAL);
    expect((await readdir(folder)).toSorted()).toEqual(['data', 'dynamic.yaml', 'nodes']);
  });

  test('in the middle of the record leaves the one before', async () => {
    const file = await dynamicFile();
    const nodes = [await node('history-1', 'history', file)];
    await mkdir(join(folder, 'data'));
    await writeFile(`${record}.partial`, '{"format": 1, "fi');
    await applySettings({ record, nodes, settings: SETTINGS });
    await writeFile(`${record}.partial`, '{"format": 1, "fi');
    await takeBackSettings({ record, nodes });
    expect(await read(file)).toBe(ORIGINAL);
  });
});

test.each<[string, (file: string) => Promise<unknown>, RegExp]>([
  ['is no YAML', (file) => writeFile(file, 'a: "hunter2'), /dynamic\.yaml is no valid YAML/],
  ['has hard links', (file) => link(file, `${file}.other`), /has 2 hard links/],
  ['is a folder', async (file) => (await rm(file), mkdir(file)), /cannot be read by this worker \(EISDIR\)/],
])('a file that %s is left as it is, and named', async (_, spoil, message) => {
  const file = await dynamicFile();
  const nodes = [await node('history-1', 'history', file)];
  await spoil(file);
  const failure: unknown = await applySettings({ record, nodes, settings: SETTINGS }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(PreconditionError);
  expect(String(failure)).toMatch(message);
  expect(String(failure)).not.toContain('hunter2');
});

test('nodes without a file that can be found are named, the others are set', async () => {
  const file = await dynamicFile();
  const nodes = [
    await node('history-1', 'history', file),
    await node('history-2', 'history', undefined),
    await node('history-3', 'history', 'no/such.yaml'),
    await node('history-4', 'history', join(folder, 'gone.yaml')),
  ];
  const { files, unreached } = await applySettings({ record, nodes, settings: SETTINGS });
  expect(files).toHaveLength(1);
  expect(unreached).toEqual([
    { node: 'history-2', reason: expect.stringContaining('names no file of dynamic configuration') },
    { node: 'history-3', reason: expect.stringContaining('relative to the folder of a process') },
    { node: 'history-4', reason: expect.stringContaining('gone.yaml cannot be found by this worker (ENOENT)') },
  ]);
});

test('with no settings nothing is read or written, and what a broken roll left is taken back', async () => {
  const file = await dynamicFile();
  const nodes = [await node('history-1', 'history', file)];
  await applySettings({ record, nodes, settings: SETTINGS });
  const nothing = { files: [], nodes: [], unreached: [] };
  expect(await applySettings({ record, nodes, settings: [] })).toEqual(nothing);
  expect(await read(file)).toBe(ORIGINAL);
  await writeFile(file, 'a: "no YAML');
  expect(await applySettings({ record, nodes, settings: [] })).toEqual(nothing);
});

test('a node whose role gets no key is in nobody’s way', async () => {
  const nodes = [
    await node('history-1', 'history', await dynamicFile()),
    await node('worker-1', 'worker', await dynamicFile('worker.yaml', 'a: "no YAML')),
    await node('worker-2', 'worker', undefined),
  ];
  const done = await applySettings({ record, nodes, settings: SETTINGS });
  expect(done.files).toHaveLength(1);
  expect(done.unreached).toEqual([]);
});

test('keys that are set are read for the plan, and what cannot be read keeps nobody from it', async () => {
  const nodes = [
    await node('history-1', 'history', await dynamicFile('a.yaml', 'A.b:\n  - value: "{{.Name}}"\n')),
    await node('history-2', 'history', await dynamicFile('b.yaml', 'a: "no YAML')),
    await node('history-3', 'history', undefined),
  ];
  const read = await readDynamicConfig(nodes);
  expect(read.keysSet).toEqual(['A.b']);
  expect(read.unreached).toEqual([
    { node: 'history-3', role: 'history', reason: expect.stringContaining('dynamicConfigClient') },
  ]);
});

test.each<[string, readonly (string | undefined)[], number | undefined]>([
  ['as it is written', ['[{ value: 60s }]'], 60_000],
  ['in whatever letters', ['[{ Value: 1m30s, constraints: {} }]'], 90_000],
  ['the longest of constrained values', ['[{ value: 30s, constraints: { namespace: a } }, { value: 2m }]'], 120_000],
  ['the longest of several files', ['[{ value: 30s }]', '[{ value: 45s }]'], 45_000],
  ['not known where one file does not say it', ['[{ value: 30s }]', undefined], undefined],
  ['not known without a unit, which versions read differently', ['[{ value: 60 }]'], undefined],
  ['not known where connections live for ever', ['[{ value: 0s }]'], undefined],
  ['not known where one of several values cannot be read', ['[{ value: 30s }, { value: soon }]'], undefined],
])('the age of connections to frontends: %s', async (_, values, expected) => {
  const nodes = await Promise.all([
    ...values.map(async (value, index) => {
      const text = value === undefined ? ORIGINAL : `Frontend.KeepAliveMaxConnectionAge: ${value}\n`;
      return node(`frontend-${index}`, 'frontend', await dynamicFile(`${index}.yaml`, text));
    }),
    // Others have no say in it.
    node('history-1', 'history', await dynamicFile('history.yaml', ORIGINAL)),
  ]);
  expect((await readDynamicConfig(nodes)).connectionAgeMs).toBe(expected);
});

test('the age of connections is not known where a frontend has no file that could be read', async () => {
  const file = await dynamicFile('a.yaml', 'frontend.keepAliveMaxConnectionAge: [{ value: 60s }]\n');
  const nodes = [await node('frontend-1', 'frontend', file), await node('frontend-2', 'frontend', undefined)];
  const { connectionAgeMs, unreached } = await readDynamicConfig(nodes);
  expect(connectionAgeMs).toBeUndefined();
  expect(unreached.map((one) => one.node)).toEqual(['frontend-2']);
});

describe('servers that run', () => {
  const line = (key: string, from: string, to: string) =>
    `{"level":"info","ts":"2026-01-01T00:00:00Z","msg":"dynamic config changed for the key: ${key.toLowerCase()} oldValue: ${from} newValue: ${to}","logging-call-at":"client_diff.go:106"}\n`;
  const valued = (value: string) => `{ constraints: {} value: ${value} }`;
  const running = { pid: process.pid };

  /** Writes to a log once the file has changed, as a server does at its next look. */
  const answer = (file: string, write: () => Promise<void>) => {
    const before = readFileSync(file, 'utf8');
    const timer = setInterval(() => {
      if (readFileSync(file, 'utf8') === before) return;
      clearInterval(timer);
      void write();
    }, 20);
    return timer;
  };

  test('are waited for until each key stands in their log, after the place where it ended', async () => {
    const file = await dynamicFile();
    const nodes = [await node('history-1', 'history', file, running)];
    const log = join(folder, 'history-1.log');
    // Of an earlier roll: it does not count.
    await writeFile(log, line('history.alignMembershipChange', 'nil', valued('10s')));
    const timer = answer(file, () => appendFile(log, line('history.alignMembershipChange', 'nil', valued('10s'))));
    expect((await applySettings({ record, nodes, settings: SETTINGS })).nodes).toEqual([
      { node: 'history-1', pickedUp: 'seen' },
    ]);
    clearInterval(timer);
    const back = answer(file, () => appendFile(log, line('history.alignMembershipChange', valued('10s'), 'nil')));
    expect((await takeBackSettings({ record, nodes })).nodes).toEqual([{ node: 'history-1', pickedUp: 'seen' }]);
    clearInterval(back);
  });

  test.each<[string, string, Partial<ConfiguredNode> & { readonly log?: string }]>([
    ['tell of another value', line('history.alignMembershipChange', 'nil', valued('9s')), {}],
    ['tell of another key', line('history.alignMembershipChangeX', 'nil', valued('10s')), {}],
    ['do not tell at this level', line('history.alignMembershipChange', 'nil', valued('10s')), { log: 'warn' }],
    ['write where nobody can read it', '', { logFile: undefined }],
  ])('are given two looks and a second where they %s', async (_, text, more) => {
    const file = await dynamicFile();
    const nodes = [await node('history-1', 'history', file, { ...running, ...more })];
    await writeFile(join(folder, 'history-1.log'), '');
    const timer = answer(file, () => appendFile(join(folder, 'history-1.log'), text));
    const begin = Date.now();
    const { nodes: after } = await applySettings({ record, nodes, settings: SETTINGS });
    clearInterval(timer);
    expect(after).toEqual([{ node: 'history-1', pickedUp: 'waited' }]);
    expect(Date.now() - begin).toBeGreaterThanOrEqual(1_400);
  });

  test('that say that they cannot read the file are an error that names both', async () => {
    const file = await dynamicFile();
    const nodes = [await node('history-1', 'history', file, running)];
    await writeFile(join(folder, 'history-1.log'), '');
    const timer = answer(file, () =>
      appendFile(join(folder, 'history-1.log'), '{"level":"error","msg":"Unable to update dynamic config."}\n'),
    );
    await expect(applySettings({ record, nodes, settings: SETTINGS })).rejects.toThrow(
      `history-1 says that it cannot read ${file}`,
    );
    clearInterval(timer);
  });

  test('are found again in a log that was begun anew', async () => {
    const file = await dynamicFile();
    const nodes = [await node('history-1', 'history', file, running)];
    const log = join(folder, 'history-1.log');
    await writeFile(log, 'x'.repeat(10_000));
    const timer = answer(file, () => writeFile(log, line('history.alignMembershipChange', 'nil', valued('10s'))));
    expect((await applySettings({ record, nodes, settings: SETTINGS })).nodes[0]?.pickedUp).toBe('seen');
    clearInterval(timer);
  });
});
