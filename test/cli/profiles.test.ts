import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { temporal } from '@temporalio/proto';
import { runCommand } from '../../src/adapters/run-command.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { connectControlPlane, queryStatus, type ControlPlaneOptions } from '../../src/client.js';
import { messageOf } from '../../src/core/errors.js';
import { GrpcError, startGrpcServer, type GrpcServer } from '../helpers/grpc-server.js';

/**
 * The real Temporal CLI and this program are given the same profiles, variables and options, and have to ask the same server for
 * the same namespace. The servers are no Temporal: nothing else could tell which of them was asked, and for what.
 */
const { DescribeWorkflowExecutionRequest, QueryWorkflowRequest } = temporal.api.workflowservice.v1;
const NOT_FOUND = 5;

let folder: string;
let asked: string[] = [];
const servers: GrpcServer[] = [];
let files: Record<'standard' | 'other', string>;
let before: NodeJS.ProcessEnv;

async function startServer(name: string): Promise<string> {
  const note = ({ namespace }: { readonly namespace: string }): never => {
    asked.push(`${name}: ${namespace}`);
    throw new GrpcError(NOT_FOUND, 'there is none');
  };
  const server = await startGrpcServer({
    GetSystemInfo: () => new Uint8Array(),
    DescribeWorkflowExecution: (request) => note(DescribeWorkflowExecutionRequest.decode(request)),
    QueryWorkflow: (request) => note(QueryWorkflowRequest.decode(request)),
  });
  servers.push(server);
  return server.address;
}

const profile = (name: string, address: string, namespace: string) =>
  `[profile.${name}]\naddress = "${address}"\nnamespace = "${namespace}"\n`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'profiles-'));
  const [first, second] = [await startServer('first'), await startServer('second')];
  files = { standard: join(folder, 'temporal.toml'), other: join(folder, 'other.toml') };
  await writeFile(files.standard, profile('default', first, 'plain') + profile('ops', second, 'upgrades'));
  await writeFile(files.other, profile('default', second, 'elsewhere'));
});
afterAll(async () => {
  for (const server of servers) await server.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  asked = [];
  before = { ...process.env };
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
});
afterEach(() => {
  process.env = before;
});

const FLAGS = { profile: '--profile', namespace: '--namespace', address: '--address' } as const;

async function askByCli(cli: string, options: ControlPlaneOptions): Promise<void> {
  const flags = (['profile', 'namespace', 'address'] as const).flatMap((name) =>
    options[name] === undefined ? [] : [FLAGS[name], options[name]],
  );
  const file = options.configFile === undefined ? [] : ['--config-file', options.configFile];
  await runCommand(cli, ['workflow', 'describe', '--workflow-id', 'x', ...flags, ...file], {
    env: temporalVariables(),
  }).catch((error: unknown) => expect(messageOf(error)).toContain('there is none'));
}

function temporalVariables(): Record<string, string> {
  const named = Object.entries(process.env).filter(([name]) => name.startsWith('TEMPORAL_'));
  return Object.fromEntries(named.map(([name, value = '']) => [name, value]));
}

async function askByThis(options: ControlPlaneOptions): Promise<void> {
  const client = await connectControlPlane(options);
  await expect(queryStatus(client, 'x')).rejects.toThrow('there is no roll-out x here');
  await client.connection.close();
}

test.each<[string, Record<string, string>, ControlPlaneOptions, string]>([
  ['the default profile', {}, {}, 'first: plain'],
  ['the profile of the variable', { TEMPORAL_PROFILE: 'ops' }, {}, 'second: upgrades'],
  ['the option before the variable', { TEMPORAL_PROFILE: 'nobody' }, { profile: 'ops' }, 'second: upgrades'],
  ['a variable before the file', { TEMPORAL_PROFILE: 'ops', TEMPORAL_NAMESPACE: 'mine' }, {}, 'second: mine'],
  ['an option before all', { TEMPORAL_NAMESPACE: 'mine' }, { profile: 'ops', namespace: 'that' }, 'second: that'],
])('%s', async (_, variables, options, expected) => {
  const cli = await createToolResolver().temporalCli();
  Object.assign(process.env, { TEMPORAL_CONFIG_FILE: files.standard, ...variables });
  await askByCli(cli, options);
  await askByThis(options);
  expect(asked).toEqual([expected, expected]);
});

test('another file by its option', async () => {
  const cli = await createToolResolver().temporalCli();
  process.env['TEMPORAL_CONFIG_FILE'] = files.standard;
  await askByCli(cli, { configFile: files.other });
  await askByThis({ configFile: files.other });
  expect(asked).toEqual(['second: elsewhere', 'second: elsewhere']);
});

test('a profile that is not there is named, and nothing of a file that cannot be read', async () => {
  process.env['TEMPORAL_CONFIG_FILE'] = files.standard;
  await expect(connectControlPlane({ profile: 'nobody' })).rejects.toThrow(
    `profile "nobody" of ${files.standard} cannot be used: there is no such profile`,
  );
  const broken = join(folder, 'broken.toml');
  await writeFile(broken, '[profile.default]\napi_key = "s3cret-key" "\n');
  const told = await connectControlPlane({ configFile: broken }).then(() => 'connected', messageOf);
  expect(told).toBe(`profile "default" of ${broken} cannot be used: it is not valid TOML, line 2`);
});
