import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { placeFacts } from '../../../src/adapters/process/configuration-facts.js';
import { readConfiguration, readConfigurationFiles } from '../../../src/adapters/process/read-configuration.js';
import { ProcessNode } from '../../../src/core/input/input.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'configuration-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const node = () =>
  ProcessNode.parse({
    name: 'history-1',
    role: 'history',
    rpcAddress: '10.0.0.1:7234',
    configDir: folder,
    configEnv: 'production',
    logFile: '/dev/null',
  });
const write = (name: string, text: string) => writeFile(join(folder, name), text);

const BASE = `
persistence:
  defaultStore: main
  visibilityStore: search
  secondaryVisibilityStore: elastic
  numHistoryShards: 4
  datastores:
    main:
      sql: { pluginName: postgres12, databaseName: temporal, password: hunter2, maxConns: 20 }
    search:
      sql: { pluginName: postgres12_pgx, databaseName: visibility, password: hunter2 }
    elastic:
      elasticsearch: { version: v7, indices: { visibility: temporal_visibility_v1 } }
global:
  membership: { broadcastAddress: 10.0.0.1 }
  tls:
    internode: { server: { certFile: /a.pem } }
services:
  history: { rpc: { grpcPort: 7234, membershipPort: 6934, bindOnIP: 0.0.0.0 } }
`;
const OVER = `persistence:
  numHistoryShards: 512
archival:
  history: { state: enabled }
publicClient: { hostPort: "frontend:7233" }
dynamicConfigClient:
  filepath: DYNAMIC
`;

test('lays the file of the environment over the base, and keeps no secret', async () => {
  await write('base.yaml', BASE);
  await write('production.yaml', OVER.replace('DYNAMIC', join(folder, 'dynamic.yaml')));
  await write('dynamic.yaml', '# keys\nfrontend.rps:\n  - value: 1\nhistory.x:\n  - value: hunter2\n');
  const read = await readConfiguration(node());
  expect(read).toMatchObject({
    seen: {
      files: [join(folder, 'base.yaml'), join(folder, 'production.yaml')],
      numHistoryShards: 512,
      stores: {
        default: { plugin: 'postgres12', database: 'temporal', maxConns: 20 },
        visibility: { plugin: 'postgres12_pgx', database: 'visibility', maxConns: undefined },
        secondaryVisibility: { plugin: 'elasticsearch', database: 'temporal_visibility_v1' },
      },
      ringAddress: '10.0.0.1:6934',
      hasPublicClient: true,
      tls: { internode: true, frontend: false },
      archival: { history: true, visibility: false },
      dynamic: {
        seen: {
          keys: [
            { key: 'frontend.rps', line: 2 },
            { key: 'history.x', line: 4 },
          ],
        },
      },
    },
  });
  const settings = 'seen' in read ? read.seen.settings : [];
  expect(settings).toContainEqual({
    key: 'persistence.secondaryVisibilityStore',
    file: join(folder, 'base.yaml'),
    line: 5,
  });
  expect(settings).toContainEqual({
    key: 'persistence.numHistoryShards',
    file: join(folder, 'production.yaml'),
    line: 2,
  });
  expect(JSON.stringify(read)).not.toContain('hunter2');
});

test.each([
  ['no file', {}, /there is no production\.yaml and no base\.yaml in/],
  ['a template', { 'production.yaml': 'a: {{ .Env.A }}\n' }, /production\.yaml is a template/],
  ['no YAML', { 'production.yaml': 'a: b\npassword: "hunter2\n' }, /production\.yaml is no valid YAML \(line \d\)$/],
  ['no settings', { 'production.yaml': '- hunter2\n' }, /production\.yaml holds no settings/],
])('says why it is not known: %s', async (_, files, reason) => {
  for (const [name, text] of Object.entries(files)) await write(name, text);
  const read = await readConfiguration(node());
  expect(read).toEqual({ unseen: expect.stringMatching(reason) });
  expect(JSON.stringify(read)).not.toContain('hunter2');
});

test('says why it is not known: it cannot be read', async () => {
  await mkdir(join(folder, 'production.yaml'));
  expect(await readConfiguration(node())).toEqual({ unseen: expect.stringContaining('(EISDIR)') });
});

test('a dynamic configuration is found from the folder of its process, or said not to be', async () => {
  await write('production.yaml', OVER.replace('DYNAMIC', 'no/such/dynamic.yaml'));
  expect(await readConfiguration(node())).toMatchObject({
    seen: { dynamic: { unseen: expect.stringContaining('relative to the folder of a process that does not run') } },
  });
  expect(await readConfiguration(node(), process.pid)).toMatchObject({
    seen: { dynamic: { unseen: `there is no ${join(process.cwd(), 'no/such/dynamic.yaml')}` } },
  });
  await write('production.yaml', 'log: {}\n');
  expect(await readConfiguration(node())).toMatchObject({ seen: { dynamic: { seen: 'none' } } });
});

test('says where Cassandra and a search server are, and nothing of their passwords', async () => {
  await write(
    'base.yaml',
    `
persistence:
  defaultStore: main
  visibilityStore: search
  datastores:
    main:
      cassandra: { hosts: 'c1, c2', port: 9142, keyspace: temporal, user: temporal, password: secret, tls: { enabled: true } }
    search:
      elasticsearch:
        url: { scheme: https, host: 'search:9200' }
        username: temporal
        password: secret
        indices: { visibility: temporal_visibility_v1 }
`,
  );
  const files = await readConfigurationFiles({ configDir: folder, configEnv: 'production' });
  expect(placeFacts(files, 'history').stores).toEqual({
    default: {
      hosts: ['c1', 'c2'],
      port: 9142,
      keyspace: 'temporal',
      datacenter: undefined,
      user: 'temporal',
      tls: true,
    },
    visibility: { url: 'https://search:9200', index: 'temporal_visibility_v1', user: 'temporal' },
  });
});
