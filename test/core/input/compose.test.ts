import { expect, test } from '@jest/globals';
import { DriverInput, engineOf, overrideFileOf, parseRolloutInput } from '../../../src/core/input/input.js';
import { problemsOf } from '../../../src/core/input/input-problems.js';
import { nodesOf } from '../../../src/core/input/listed-nodes.js';
import { COMPOSE, composeInput } from '../../helpers/compose-project.js';
import { rolloutText } from '../../helpers/rollout-input.js';

function told(more: object): Record<string, string> {
  const result = DriverInput.safeParse({ ...COMPOSE, ...more });
  if (result.success) return {};
  return Object.fromEntries(problemsOf(result.error).map(({ path, message }) => [path, message]));
}
const service = (name: string, ...roles: readonly string[]) => ({ service: name, roles });
const ROLES = ['frontend', 'history', 'matching', 'worker'];

test('a right one gets its defaults, and can be parsed again', () => {
  const parsed = composeInput();
  expect(parsed).toMatchObject({
    command: ['docker', 'compose'],
    profiles: [],
    images: { tag: '{version}', versions: {} },
    services: [{ service: 'frontend', roles: ['frontend'], configEnv: 'docker' }, {}, {}, {}],
    stopTimeout: 120_000,
  });
  expect(DriverInput.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
  expect(overrideFileOf(parsed)).toBe('/srv/temporal/compose.override.yaml');
  const two = composeInput({ files: ['/srv/a.yaml', '/etc/b.yaml'] });
  expect(overrideFileOf(two)).toBe('/srv/compose.temporal-upgrade.yaml');
  expect(told({ services: [service('temporal', ...ROLES)] })).toEqual({});
});

test.each([
  [['docker', 'compose'], ['docker']],
  [['docker-compose'], ['docker']],
  [['podman', 'compose'], ['podman']],
  [['/usr/bin/podman-compose'], ['podman']],
])('the engine below %j is %j', (command, engine) => {
  expect(engineOf({ command })).toEqual(engine);
  expect(engineOf({ command, engine: ['sudo', 'docker'] })).toEqual(['sudo', 'docker']);
});

test.each([
  [{ files: ['compose.yaml'] }, 'files.0', /absolute path/],
  [{ services: [service('a', 'frontend', 'history', 'matching')] }, 'services', /no service runs the role worker/],
  [{ services: [service('a', ...ROLES), service('a', 'history')] }, 'services.1.service', /each node needs its own/],
  [{ services: [{ ...service('a', ...ROLES), rpcPort: 7233 }] }, 'services.0.rpcPort', /several roles/],
  [{ images: { tag: 'latest' } }, 'images.tag', /\{version\}/],
  [{ project: '-p' }, 'project', /letters/],
])('%j is told', (more, path, message) => {
  expect(told(more)[path]).toMatch(message);
});

test('several containers at a time cannot be had, and that is said', () => {
  const { staging, live } = rolloutText();
  const input = { to: '1.31', staging, live: { ...live, driver: COMPOSE }, policy: { roll: { batch: 2 } } };
  expect(() => parseRolloutInput(input)).toThrow(/batch.*driver compose \(live\).*containers one by one/s);
});

test('a node that was found has the files that its service names', () => {
  const services = [
    { ...service('temporal-history', 'history'), configDir: '/srv/history', configEnv: 'live' },
    service('temporal', 'frontend', 'matching', 'worker'),
  ];
  const found = { name: 'temporal-history-2', role: 'history', rpcAddress: '172.18.0.5:7234', running: true } as const;
  const driver = composeInput({ services });
  expect(nodesOf({ driver }, [{ ...found, service: 'temporal-history' }])).toMatchObject([
    { name: 'temporal-history-2', configDir: '/srv/history', configEnv: 'live' },
  ]);
});
