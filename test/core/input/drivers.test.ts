import { describe, expect, test } from '@jest/globals';
import { DriverInput, type ServerNode } from '../../../src/core/input/input.js';
import { problemsOf } from '../../../src/core/input/input-problems.js';

const ROLES = ['frontend', 'history', 'matching', 'worker'] as const;
const named = ROLES.map((role, index) => ({ name: `${role}-1`, role, rpcAddress: `10.0.0.1:${7230 + index}` }));

const SYSTEMD = {
  type: 'systemd',
  nodes: named.map((node) => ({ ...node, unit: `temporal-${node.role}.service` })),
  versionSwitch: { by: 'dropIn', program: '/opt/temporal/{version}/temporal-server' },
};
const BY_LINK = {
  by: 'symlink',
  link: '/opt/temporal/current',
  to: '/opt/temporal/{version}',
  program: '/opt/temporal/{version}/temporal-server',
};
const COMMANDS = {
  status: ['status', '{node}'],
  stop: ['stop', '{node}'],
  start: ['ssh', '{host}', 'start-temporal', '{role}', '{version}'],
};
const COMMAND = { type: 'command', nodes: named, commands: COMMANDS };

function told(input: unknown): Record<string, string> {
  const result = DriverInput.safeParse(input);
  if (result.success) return {};
  return Object.fromEntries(problemsOf(result.error).map(({ path, message }) => [path, message]));
}

test('right ones get their defaults, and can be parsed again', () => {
  for (const [input, defaults] of [
    [SYSTEMD, { unitDir: '/etc/systemd/system', sudo: false, stopTimeout: 120_000, startTimeout: 180_000 }],
    [{ ...SYSTEMD, versionSwitch: BY_LINK }, { versionSwitch: BY_LINK }],
    [COMMAND, { environment: {}, stopTimeout: 120_000 }],
  ] as const) {
    const parsed = DriverInput.parse(input);
    expect(parsed).toMatchObject(defaults);
    expect(DriverInput.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
    // What surveys know of a node is the same for all.
    const [node]: readonly ServerNode[] = 'nodes' in parsed ? parsed.nodes : [];
    expect(node).toMatchObject({ ...named[0], configEnv: 'development' });
    expect(node?.configDir).toBeUndefined();
  }
});

test('a driver that is not there: those that are', () => {
  expect(told({ ...SYSTEMD, type: 'helm' })['type']).toMatch(/'process' \| 'systemd' \| 'command'/);
});

describe('systemd', () => {
  const withNode = (change: object) => ({
    ...SYSTEMD,
    nodes: SYSTEMD.nodes.map((node, index) => (index === 1 ? { ...node, ...change } : node)),
  });
  const withSwitch = (change: object) => ({ ...SYSTEMD, versionSwitch: { ...SYSTEMD.versionSwitch, ...change } });
  const withLink = (change: object) => ({ ...SYSTEMD, versionSwitch: { ...BY_LINK, ...change } });

  test.each<[string, unknown, string, RegExp]>([
    ['a unit without its kind', withNode({ unit: 'temporal' }), 'nodes.1.unit', /"temporal-history\.service"/],
    ['a unit twice on a host', withNode({ unit: 'temporal-frontend.service' }), 'nodes.1.unit', /also that of node 0/],
    [
      'a host that ssh takes for an option',
      withNode({ host: '-oProxyCommand=x' }),
      'nodes.1.host',
      /what ssh connects to/,
    ],
    ['a folder that is not absolute', withNode({ configDir: 'etc' }), 'nodes.1.configDir', /absolute/],
    ['a field of another driver', withNode({ environment: {} }), 'nodes.1.environment', /no such field/],
    [
      'no version in the program',
      withSwitch({ program: '/opt/temporal-server' }),
      'versionSwitch.program',
      /has to name \{version\}/,
    ],
    [
      'a placeholder that is none',
      withSwitch({ program: '/o/{verison}/{version}' }),
      'versionSwitch.program',
      /\{verison\} is no placeholder/,
    ],
    [
      'a blank in the program',
      withSwitch({ program: '/o p/{version}/temporal-server' }),
      'versionSwitch.program',
      /without blanks/,
    ],
    ['another way to switch', withSwitch({ by: 'magic' }), 'versionSwitch.by', /'dropIn' \| 'symlink'/],
    [
      'a link by version',
      withLink({ link: '/opt/{version}' }),
      'versionSwitch.link',
      /\{version\} is no placeholder here/,
    ],
    ['a link to one version', withLink({ to: '/opt/temporal' }), 'versionSwitch.to', /has to name \{version\}/],
    ['no way to switch', { ...SYSTEMD, versionSwitch: undefined }, 'versionSwitch', /./],
  ])('%s', (_, input, path, message) => {
    expect(told(input)).toEqual({ [path]: expect.stringMatching(message) });
  });

  test('the same unit on two hosts, and folders that nodes share, are right', () => {
    const nodes = SYSTEMD.nodes.map((node, index) => ({
      ...node,
      unit: 'temporal.service',
      host: `host-${index}`,
      configDir: '/etc/temporal',
    }));
    expect(told({ ...SYSTEMD, nodes })).toEqual({});
  });
});

describe('command', () => {
  const withCommand = (change: object) => ({ ...COMMAND, commands: { ...COMMANDS, ...change } });

  test.each<[string, unknown, string, RegExp]>([
    ['shell text', withCommand({ stop: 'ssh host stop' }), 'commands.stop', /expected a list of the program/],
    ['an empty list', withCommand({ stop: [] }), 'commands.stop', /expected a list of the program/],
    ['no program', withCommand({ stop: ['', 'x'] }), 'commands.stop.0', /expected a program/],
    ['a number', withCommand({ stop: ['stop', 5] }), 'commands.stop.1', /expected string/],
    ['a start of no version', withCommand({ start: ['start', '{node}'] }), 'commands.start', /has to name \{version\}/],
    [
      'a stop of a version',
      withCommand({ stop: ['stop', '{version}'] }),
      'commands.stop',
      /\{version\} is no placeholder here/,
    ],
    [
      'a misspelt placeholder',
      withCommand({ status: ['{nod}'] }),
      'commands.status',
      /\{nod\} is no placeholder here; there are \{node\}/,
    ],
    ['a command that there is not', withCommand({ restart: ['x'] }), 'commands.restart', /no such field/],
    ['no status', withCommand({ status: undefined }), 'commands.status', /expected a list/],
    ['a role that is missing', { ...COMMAND, nodes: named.slice(1) }, 'nodes', /no node has the role frontend/],
  ])('%s', (_, input, path, message) => {
    expect(told(input)).toEqual({ [path]: expect.stringMatching(message) });
  });
});
