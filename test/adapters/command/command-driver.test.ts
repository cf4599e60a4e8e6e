import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createCommandDriver } from '../../../src/adapters/command/command-driver.js';
import { CommandDriver } from '../../../src/core/input/input.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'command-driver-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const NODES = (['frontend', 'history', 'matching', 'worker'] as const).map((role, index) => ({
  name: `${role}-1`,
  role,
  rpcAddress: `[::1]:${7230 + index}`,
}));

function driverWith(commands: Readonly<Record<string, readonly string[]>>, rest: object = {}) {
  const needed = { status: ['true'], stop: ['true'], start: ['start', '{version}'] };
  return createCommandDriver(
    CommandDriver.parse({ type: 'command', nodes: NODES, commands: { ...needed, ...commands }, ...rest }),
  );
}

test('explains what it runs, filled in and quoted, with secrets by where they are read', async () => {
  const driver = driverWith(
    {
      prepare: ['ansible-playbook', 'bring.yml', '-e', '{"version": "{version}"}'],
      stop: ['ssh', '{host}', 'systemctl stop temporal-{role}'],
      start: ['own', '{node}', '{version}'],
    },
    { environment: { TOKEN: { env: 'NOMAD_TOKEN' }, KEY: { file: '/run/the key' }, REGION: 'eu west' } },
  );
  const before = `TOKEN="$NOMAD_TOKEN" KEY="$(cat '/run/the key')" REGION='eu west' `;
  expect(await driver.explain('history-1', '1.30.7')).toEqual([
    `${before}ansible-playbook bring.yml -e '{"version": "1.30.7"}'`,
    `${before}ssh ::1 'systemctl stop temporal-history'`,
    `${before}own history-1 1.30.7`,
  ]);
});

test('a version is prepared once, or for each node when the command names one', async () => {
  const file = join(directory, 'prepared');
  const note = ['sh', '-c', `echo "$1" >> ${file}`, 'sh'];
  await driverWith({ prepare: [...note, '{version}'] }).prepare('1.30.7');
  await driverWith({ prepare: [...note, '{version} {node}'] }).prepare('1.30.7');
  const lines = (await readFile(file, 'utf8')).trim().split('\n').toSorted();
  expect(lines).toEqual(['1.30.7', ...NODES.map(({ name }) => `1.30.7 ${name}`)].toSorted());
});

test('a status that fails is a failure, never "nothing runs"; secrets of the environment are blackened', async () => {
  const secret = join(directory, 'secret');
  await writeFile(secret, 'open sesame\n');
  const driver = driverWith(
    { status: ['sh', '-c', 'echo "no route for $TOKEN" >&2; exit 3'] },
    { environment: { TOKEN: { file: secret } } },
  );
  const attempts: (() => Promise<unknown>)[] = [
    () => driver.listNodes(),
    () => driver.stopNode('history-1'),
    () => driver.startNode('history-1', '1.30.7'),
  ];
  for (const attempt of attempts) {
    await expect(attempt()).rejects.toThrow(
      /the status command of \S+ failed: sh ended with exit code 3:\nno route for \*\*\*/,
    );
  }
});

test('a stop after which the node still runs is told, with the run that is there', async () => {
  const status = '{"version": "1.30.7", "startedAt": "2026-01-31T12:00:00Z", "instance": "host-a 17"}';
  const driver = driverWith({ status: ['echo', status] }, { stopTimeout: 100 });
  await expect(driver.stopNode('history-1')).rejects.toThrow(
    /history-1 still runs 100ms after its stop command was run \(host-a 17\)/,
  );
});

test('a start that changes nothing of the version is told', async () => {
  const flag = join(directory, 'started');
  const status = '{\\"version\\": \\"1.29.1\\", \\"startedAt\\": \\"2026-01-31T12:00:00Z\\"}';
  const driver = driverWith({
    status: ['sh', '-c', `if [ -e ${flag} ]; then echo "${status}"; fi`],
    start: ['sh', '-c', `touch ${flag}`, '{version}'],
  });
  await expect(driver.startNode('worker-1', '1.30.7')).rejects.toThrow(
    /worker-1 was started with 1\.30\.7, but its status says 1\.29\.1; does its start command use/,
  );
});
