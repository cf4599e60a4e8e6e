import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { Finding } from '../../src/core/finding.js';
import type { Path, Reason } from '../../src/core/plan.js';

// The commands that ask nobody, as they are installed.
const CLI = fileURLToPath(new URL('../../bin/temporal-upgrade', import.meta.url));

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: string[]): Promise<Answer> {
  return promisify(execFile)(CLI, args, { maxBuffer: 64 * 1024 * 1024 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Answer) => ({ code, stdout, stderr }),
  );
}

async function planOf(...args: string[]): Promise<Path> {
  const { code, stdout, stderr } = await run('plan', ...args, '--output', 'json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Path;
}

/** What was moved, and where the servers then were. */
const movesOf = ({ hops }: Path): string[] =>
  hops.flatMap(({ moves }) => moves.map(({ part, fromKind, toKind, at }) => `${part} ${fromKind} ${toKind} at ${at}`));

/** What a person has to look at, by the hop that it stands in the way of. */
const warned = ({ hops }: Path, id: string): string[] =>
  hops
    .filter(({ findings }) => findings.some((finding) => finding.id === id && finding.severity === 'warn'))
    .map(({ to }) => to);

describe('the way from 1.0.0 to 1.32', () => {
  test.each<[string, string[], string[], (path: Path) => void]>([
    [
      'Cassandra with its own visibility',
      ['--store', 'cassandra', '--visibility', 'cassandra'],
      ['visibility cassandra elasticsearch at 1.21.6'],
      () => undefined,
    ],
    [
      'Cassandra with visibility to go to PostgreSQL',
      ['--store', 'cassandra', '--visibility', 'cassandra', '--move-visibility-to', 'postgres12'],
      ['visibility cassandra postgres12 at 1.21.6'],
      () => undefined,
    ],
    [
      'MySQL',
      ['--store', 'mysql'],
      ['default mysql mysql8 at 1.20.5', 'visibility mysql mysql8 at 1.20.5'],
      (path) => expect(path.hops[20]?.moves[0]?.steps[0]).toContain('8.0.17'),
    ],
    [
      'PostgreSQL',
      ['--store', 'postgres'],
      ['default postgres postgres12 at 1.20.5', 'visibility postgres postgres12 at 1.20.5'],
      (path) => expect(path.hops[20]?.moves[0]?.steps[0]).toContain('version 12'),
    ],
    [
      'Cassandra with Elasticsearch',
      ['--store', 'cassandra', '--visibility', 'elasticsearch'],
      [],
      (path) => {
        expect(warned(path, 'database-version')).toEqual(['1.18.5']); // Elasticsearch 6 ends
        expect(warned(path, 'setting-renamed')).toEqual(['1.21.6', '1.25.2']); // advancedVisibilityStore
      },
    ],
  ])('%s', async (_, stores, moves, more) => {
    const path = await planOf('--from', '1.0.0', '--to', '1.32', ...stores);
    expect(path.path).toHaveLength(33);
    expect([path.path[0], path.path.at(-1)?.slice(0, 5)]).toEqual(['1.0.0', '1.32.']);
    expect(movesOf(path)).toEqual(moves);
    more(path);
    const said: readonly (Reason | Finding)[] = [
      ...path.findings,
      ...path.hops.flatMap(({ reasons, rollBack, findings }) => [...reasons, ...rollBack.reasons, ...findings]),
    ];
    expect(said.filter(({ source }) => source.trim() === '')).toEqual([]);
    expect(path.hops.filter(({ reasons }) => reasons.length === 0)).toEqual([]);
    expect(
      path.hops.flatMap(({ moves: moved }) => moved).filter(({ steps, source }) => steps.length === 0 || source === ''),
    ).toEqual([]);
  });
});

test('a roll-back by one minor is a plan, by two it is refused', async () => {
  const path = await planOf('--from', '1.31.2', '--to', '1.30');
  expect([path.direction, path.path]).toEqual(['back', ['1.31.2', expect.stringMatching(/^1\.30\./)]]);
  const { code, stdout, stderr } = await run('plan', '--from', '1.31.2', '--to', '1.29', '--output', 'json');
  expect(code).toBe(2);
  expect(stderr).toMatch(/downgrade by more than one minor/);
  const error = expect.stringMatching(/downgrade by more than one minor/) as unknown;
  expect(JSON.parse(stdout)).toEqual({ error, type: 'UnsupportedPath' });
});

test('YAML says the same as JSON', async () => {
  const args = ['plan', '--from', '1.23.0', '--to', '1.24', '--store', 'mysql', '--output'];
  const [yaml, json] = await Promise.all([run(...args, 'yaml'), run(...args, 'json')]);
  expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout));
});

test.each<[string[], string, RegExp]>([
  [['plan', '--from', '1.29.1'], 'Request', /give --to/],
  [['plan', '--from', '1.29.1', '--to', '1.31', '--store', 'oracle'], 'Usage', /^option '--store <kind>'/],
  [['plan', '--nothing'], 'Usage', /^unknown option '--nothing'/],
  [['start', '--file', '/nowhere.yaml'], 'Request', /nowhere/],
])('%j tells programs what is wrong', async (args, type, says) => {
  for (const format of ['json', 'yaml']) {
    const { code, stdout } = await run(...args, '--output', format);
    expect(code).toBe(2);
    const told: unknown = format === 'json' ? JSON.parse(stdout) : parse(stdout);
    expect(told).toEqual({ error: expect.stringMatching(says) as unknown, type });
  }
});

test.each([
  [['plan', '--to', '1.31'], /give one of these: --from .*, --target .*, --file/],
  [['plan', '--from', '1.29.1'], /give --to/],
  [['plan', '--from', '1.29', '--to', '1.31'], /--from is "1\.29", expected a version in full/],
  [['plan', '--from', '0.9.0', '--to', '1.31'], /older than 1\.0\.0.*community\.temporal\.io/],
  [['plan', '--from', '1.29.1', '--to', '1.31', '--store', 'sqlite'], /SQLite, which cannot be upgraded/],
  [['plan', '--from', '1.29.1', '--to', '1.31', '--store', 'oracle'], /Allowed choices are postgres12/],
  [['plan', '--from', '1.29.1', '--to', '1.31', '--store', 'elasticsearch'], /cannot be the default store/],
  [
    ['plan', '--from', '1.24.1', '--to', '1.31', '--store', 'mysql'],
    /server 1\.24\.1 has no default store of kind mysql/,
  ],
  [['check', '--from', 'latest'], /--from is "latest"/],
])('%j is refused', async (args, says) => {
  const { code, stderr } = await run(...args);
  expect(code).toBe(2);
  expect(stderr).toMatch(says);
});

test.each([
  ['1.32.2', 0, /^server 1\.32\.2: nothing to remark\n$/],
  ['1.31.2', 4, /! warn version-advisory/],
])('check of %s exits by its worst finding', async (version, exit, says) => {
  const { code, stdout } = await run('check', '--from', version);
  expect(code).toBe(exit);
  expect(stdout).toMatch(says);
});
