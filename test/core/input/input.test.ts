import { describe, expect, test } from '@jest/globals';
import { InvalidRolloutError, type InputProblem } from '../../../src/core/errors.js';
import { parseRolloutInput, Policy, SecretRef, Tls } from '../../../src/core/input/input.js';
import { listedNodes } from '../../../src/core/input/listed-nodes.js';
import { problemsOf } from '../../../src/core/input/input-problems.js';
import { rolloutText } from '../../helpers/rollout-input.js';

/** A right roll-out with the values at the given paths replaced; undefined takes the field away. */
function changed(changes: Readonly<Record<string, unknown>>): unknown {
  const input: unknown = structuredClone(rolloutText());
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const parent = keys.reduce<unknown>((inner, key) => {
      const holder = inner as Record<string, unknown>;
      holder[key] ??= {};
      return holder[key];
    }, input) as Record<string, unknown>;
    if (value === undefined) delete parent[last];
    else parent[last] = value;
  }
  return input;
}

function problems(input: unknown): readonly InputProblem[] {
  try {
    parseRolloutInput(input);
  } catch (error) {
    if (error instanceof InvalidRolloutError) return error.problems;
    throw error;
  }
  return [];
}

const told = (changes: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(problems(changed(changes)).map(({ path, message }) => [path, message]));

test('a right input gets its defaults', () => {
  const input = parseRolloutInput(rolloutText());
  expect(input.pins).toEqual({});
  expect(input.policy.gates).toEqual({ staging: [], live: ['schema', 'servers', 'promote'] });
  expect(input.policy.settle.atLeast).toBe(600_000);
  expect(input.policy.load.staging.startsPerSecond).toBe(2);
  expect(input.policy.load.live).toBeUndefined();
  expect(input.live.stores.default).toMatchObject({ plugin: 'postgres12', port: 5432 });
  expect(listedNodes(input.live)?.[0]).toMatchObject({ configEnv: 'development', environment: {} });
});

test('what was parsed can be parsed again: defaults change nothing', () => {
  const once = parseRolloutInput(
    changed({ 'policy.observation.window': '90s', 'live.driver.stopTimeout': '2 minutes' }),
  );
  expect(once.policy.observation.window).toBe(90_000);
  expect(parseRolloutInput(JSON.parse(JSON.stringify(once)))).toEqual(once);
});

test('every mistake is told at once, each with its path', () => {
  const wrong = told({
    to: 'v1.31',
    pins: { '1.30': '1.29.1', 'x.y': '1.30.1', '1.28': 'newest' },
    'staging.name': 'live',
    'staging.driver.nodes.1.name': 'matching-1', // between nodes
    'staging.driver.nodes.1.rpcAddress': 'nowhere', // and a bad value in the same node
    'live.stores.default.host': '',
    'live.stores.default.passwort': 'x',
    'live.driver.type': 'helm',
    'policy.settle.atLeast': '10s',
    'policy.watchLive': 'a while',
  });
  expect(Object.keys(wrong).sort()).toEqual(
    [
      'to',
      'pins.1.30',
      'pins.x.y',
      'pins.1.28',
      'staging.name',
      'staging.driver.nodes.1.name',
      'staging.driver.nodes.1.rpcAddress',
      'live.stores.default.host',
      'live.stores.default.passwort',
      'live.driver.type',
      'policy.settle.reason',
      'policy.watchLive',
    ].sort(),
  );
});

test.each([
  [null, ['']],
  ['text', ['']],
  [[], ['']],
  [{}, ['to', 'staging', 'live']],
  [{ to: '1.31', staging: 5, live: null }, ['staging', 'live']],
])('what is no roll-out at all (%j) is told, not thrown', (input, paths) => {
  expect(problems(input).map(({ path }) => path)).toEqual(paths);
});

describe('single fields', () => {
  test.each<[string, unknown, string | RegExp]>([
    ['to', '1.31.0-rc.1', /expected a minor such as "1\.31"/],
    ['to', 1.31, /expected string/],
    ['live.version', '1.29', /expected a version in full/],
    ['live.name', 'Live', /lower-case/],
    ['live.connection.address', 'temporal.example.com', /expected host:port/],
    ['live.connection.address', 'temporal:0', /not between 1 and 65535/],
    ['live.connection.address', 'temporal:65536', /not between 1 and 65535/],
    ['live.connection.address', 'http://temporal:7233', /expected host:port/],
    ['live.frontends', [], />=1/],
    ['live.stores.default.type', 'oracle', /'mysql'/],
    ['live.stores.default.type', 'sqlite', /SQLite cannot be upgraded: in memory there is nothing/],
    ['live.stores.default.port', 70_000, /<=65535/],
    ['live.driver.nodes.0.configDir', 'config', /absolute/],
    ['live.driver.nodes.0.role', 'broker', /"history"/],
    ['live.driver.nodes.0.logfile', '/x', /no such field/],
    ['live.backupDir', undefined, /expected string/],
    ['policy.observation.bounds.errorRatioRise', 0.06, /<=0\.05/],
    ['policy.load.live', 5, /expected object/],
    ['policy.load.staging.startsPerSecond', 0, />0/],
    ['policy.load.staging.probesPerSecond', 2, /at least 5, or 0/],
    ['policy.load.staging.probesPerSecond', 4.9, /at least 5, or 0/],
  ])('%s = %j', (path, value, message) => {
    expect(told({ [path]: value })).toEqual({ [path]: expect.stringMatching(message) });
  });

  test('an address is told once', () => {
    expect(problems(changed({ 'live.connection.address': 'nowhere' }))).toHaveLength(1);
  });

  test('gates of staging do not promote', () => {
    expect(told({ 'policy.gates.staging': ['schema', 'promote'] })).toEqual({
      'policy.gates.staging.1': expect.stringMatching(/"schema"\|"servers"/),
    });
  });

  test.each(['[::1]:7233', '127.0.0.1:1', 'a-b.example:65535'])('%s is an address', (address) => {
    expect(told({ 'live.connection.address': address })).toEqual({});
  });

  test('editors may be told where the schema is', () => {
    expect(told({ $schema: './rollout.schema.json' })).toEqual({});
  });
});

describe('a union that fits nowhere tells of the branch that came closest', () => {
  test.each<[string, unknown, Record<string, RegExp>]>([
    ['an address misspelt', { adress: 'a:1' }, { address: /expected string/, adress: /no such field/ }],
    ['a field too many beside an address', { address: 'a:1', tlss: true }, { tlss: /no such field/ }],
    ['a field too many beside a profile', { profile: 'p', configfile: 'x' }, { configfile: /no such field/ }],
    ['a bad address with all else right', { address: 'a', tls: true, apiKey: { env: 'K' } }, { address: /host:port/ }],
    ['two bad values', { address: 'a', tls: 'yes' }, { address: /host:port/, tls: /expected true/ }],
    ['an empty profile', { profile: '' }, { profile: />=1/ }],
    ['a field misspelt in tls', { address: 'a:1', tls: { caFile: 'x' } }, { 'tls.caFile': /no such field/ }],
    ['tls that is no tls', { address: 'a:1', tls: 'yes' }, { tls: /expected true/ }],
    ['a secret in place of its name', { address: 'a:1', apiKey: 'secret' }, { apiKey: /expected object/ }],
  ])('%s', (_, connection, expected) => {
    const paths = Object.entries(expected).map(([path, message]) => [
      `live.connection.${path}`,
      expect.stringMatching(message) as unknown,
    ]);
    expect(told({ 'live.connection': connection })).toEqual(Object.fromEntries(paths));
  });

  test('also two unions deep', () => {
    expect(told({ 'live.driver.nodes.0.environment': { A: 'text', B: { env: 'NAME' }, C: { env: 5 } } })).toEqual({
      'live.driver.nodes.0.environment.C.env': expect.stringMatching(/expected string/),
    });
  });
});

describe('secrets', () => {
  test.each([{ env: 'PGPASSWORD' }, { file: '/run/secrets/pg' }])('%j names one', (ref) => {
    expect(SecretRef.parse(ref)).toEqual(ref);
  });

  test.each(['secret', { value: 'secret' }, { env: '' }, { env: 'A', file: '/b' }, {}, 5, null])(
    '%j does not, and the message does not repeat it',
    (ref) => {
      const result = SecretRef.safeParse(ref);
      expect(result.success).toBe(false);
      expect(result.error && JSON.stringify(problemsOf(result.error))).not.toContain('secret');
    },
  );

  test('a client certificate comes with its key', () => {
    expect(Tls.safeParse({ clientCertFile: '/c', clientKeyFile: '/k' }).success).toBe(true);
    expect(Tls.safeParse({ clientCertFile: '/c' }).error?.issues[0]?.message).toMatch(/given together/);
    expect(Tls.safeParse({ clientKeyFile: '/k' }).error?.issues[0]?.message).toMatch(/given together/);
  });
});

describe('the settle', () => {
  test.each([
    [{}, true],
    [{ atLeast: '10m' }, true],
    [{ atLeast: '9m 59s' }, false], // not a span that is known at all
    [{ atLeast: '599s' }, false],
    [{ atLeast: '599s', reason: 'four shards, no load' }, true],
    [{ atLeast: '599s', reason: ' ' }, false],
    [{ atLeast: 0, reason: 'a test' }, true],
    [{ steady: '1m' }, false],
    [{ steady: '1m', reason: 'a rehearsal' }, true],
    [{ steady: '5m', updates: 3 }, true],
    [{ updates: 1 }, false],
    [{ updates: 0, reason: 'rows are written every hour here' }, true],
    [{ updates: 1.5, reason: 'r' }, false],
    [{ atLeast: '1m', updates: 2, reason: 'r' }, true],
  ])('%j: %s', (settle, ok) => {
    expect(Policy.safeParse({ settle }).success).toBe(ok);
  });

  test('one that is too short asks for a reason', () => {
    expect(told({ 'policy.settle': { atLeast: '1m' } })).toEqual({
      'policy.settle.reason': expect.stringMatching(/shorter than ten minutes needs a reason/),
    });
  });
});

describe('pins', () => {
  test.each<[string, Record<string, string>, Record<string, RegExp>]>([
    ['1.31', { '1.30': '1.30.7' }, {}],
    ['1.31.2', { '1.31': '1.31.2' }, {}],
    ['1.31.2', { '1.31': '1.31.5' }, { 'pins.1.31': /pins 1\.31\.5, but "to" asks for 1\.31\.2/ }],
    ['1.31', { '1.30': '1.29.7' }, { 'pins.1.30': /1\.29\.7 is no patch of 1\.30/ }],
    ['1.31', { '1.30.7': '1.30.7' }, { 'pins.1.30.7': /./ }],
  ])('to %s with %j', (to, pins, expected) => {
    const wrong = told({ to, pins });
    expect(Object.keys(wrong)).toEqual(Object.keys(expected));
    for (const [path, message] of Object.entries(expected)) expect(wrong[path]).toMatch(message);
  });
});

describe('nodes', () => {
  test.each([
    ['name', 'matching-1'],
    ['configDir', '/etc/temporal/matching-1'],
    ['rpcAddress', 'live.example.com:7230'],
    ['metricsAddress', 'live.example.com:9230'],
  ])('do not share %s', (field, value) => {
    const path = `live.driver.nodes.2.${field}`;
    expect(told({ [path]: value })).toEqual({ [path]: `"${value}" is also that of node 0; each node needs its own` });
  });

  test('of a shared name every one but the first is told', () => {
    const wrong = told({ 'live.driver.nodes.1.name': 'matching-1', 'live.driver.nodes.2.name': 'matching-1' });
    expect(Object.keys(wrong)).toEqual(['live.driver.nodes.1.name', 'live.driver.nodes.2.name']);
  });

  test('without metrics need no address of their own', () => {
    const without = [0, 1, 2, 3].map((index) => [`live.driver.nodes.${index}.metricsAddress`, undefined]);
    expect(told(Object.fromEntries(without) as Record<string, undefined>)).toEqual({});
  });

  test('cover every role', () => {
    expect(told({ 'live.driver.nodes.3.role': 'internal-frontend' })).toEqual({
      'live.driver.nodes': expect.stringMatching(/no node has the role worker/),
    });
    expect(told({ 'live.driver.nodes': [] })).toEqual({ 'live.driver.nodes': expect.stringMatching(/>=1/) });
  });
});

describe('staging and live are two clusters', () => {
  const sameDatabase = { type: 'postgresql', host: 'db', database: 'temporal', user: 'u' };
  test.each<[string, Record<string, unknown>, string[]]>([
    ['name', { 'staging.name': 'live' }, ['staging.name']],
    ['address', { 'staging.connection.address': 'live.example.com:7233' }, ['staging.connection.address']],
    [
      'profile',
      { 'staging.connection': { profile: 'p' }, 'live.connection': { profile: 'p' } },
      ['staging.connection.profile'],
    ],
    [
      'database, its port written or not',
      { 'staging.stores.default': sameDatabase, 'live.stores.visibility': { ...sameDatabase, user: 'v', port: 5432 } },
      ['staging.stores.default.database'],
    ],
    [
      'database name on another port',
      { 'staging.stores.default': sameDatabase, 'live.stores.visibility': { ...sameDatabase, port: 5433 } },
      [],
    ],
  ])('same %s', (_, changes, paths) => {
    expect(Object.keys(told(changes))).toEqual(paths);
  });

  test('a profile of another file is another one', () => {
    const changes = { 'staging.connection': { profile: 'p', configFile: '/a' }, 'live.connection': { profile: 'p' } };
    expect(told(changes)).toEqual({});
  });

  test('the same address on another task queue is seen from another network', () => {
    const changes = { 'staging.connection.address': 'live.example.com:7233', 'staging.taskQueue': 'near-staging' };
    expect(told(changes)).toEqual({});
  });

  test('the two stores of one target are two databases', () => {
    expect(told({ 'live.stores.visibility.database': 'temporal' })).toEqual({
      'live.stores.visibility.database': expect.stringMatching(/default store too/),
    });
  });
});
