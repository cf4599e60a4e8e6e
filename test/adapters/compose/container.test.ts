import { expect, test } from '@jest/globals';
import { readContainers } from '../../../src/adapters/compose/container.js';

/** As podman 4.3 prints it, cut to what is read. */
const PODMAN = {
  Id: 'aaa',
  Name: 'temporal_history_1',
  Created: '2026-11-30T19:14:59.465216533Z',
  State: {
    Status: 'running',
    Pid: 42,
    StartedAt: '2026-11-30T20:15:00.38620584+01:00',
    Health: { Status: '', FailingStreak: 0, Log: null },
  },
  Config: {
    Image: 'localhost/temporal-server:1.30.7',
    Labels: { 'com.docker.compose.service': 'history', 'io.podman.compose.project': 'temporal' },
    Env: ['A=b=c', 'EMPTY='],
    WorkingDir: '/',
  },
  HostConfig: { NetworkMode: 'host', LogConfig: { Path: '/run/ctr.log' } },
  NetworkSettings: { Ports: {} },
  Mounts: [],
  Dependencies: ['bbb'],
};

/** As docker 28 prints it. */
const DOCKER = {
  Id: 'bbb',
  Name: '/temporal-history-2',
  Created: '2026-11-30T19:14:59.465216533Z',
  State: {
    Status: 'restarting',
    Pid: 0,
    StartedAt: '0001-01-01T00:00:00Z',
    Health: { Status: 'starting', Log: [{ ExitCode: 1, Output: 'refused' }] },
  },
  Config: {
    Image: 'temporalio/server:1.30.7',
    Labels: { 'com.docker.compose.service': 'history' },
    Env: null,
    WorkingDir: '/etc/temporal',
    Healthcheck: { Test: ['CMD', 'temporal', 'operator', 'cluster', 'health'], Interval: 5e9, Timeout: 2e9 },
  },
  HostConfig: { NetworkMode: 'container:aaa' },
  NetworkSettings: { Networks: { temporal_default: { IPAddress: '172.18.0.5' }, other: { IPAddress: '' } } },
  Mounts: [
    { Type: 'bind', Source: '/srv/dynamicconfig', Destination: '/etc/temporal/config/dynamicconfig' },
    { Type: 'volume', Source: '/var/lib/docker/x', Destination: '/data' },
  ],
  LogPath: '/var/lib/docker/containers/bbb/bbb-json.log',
};

test('containers of podman and of docker are read into one shape', () => {
  expect(readContainers(JSON.stringify([PODMAN, DOCKER]))).toMatchObject([
    {
      id: 'aaa',
      name: 'temporal_history_1',
      service: 'history',
      running: true,
      pid: 42,
      createdAt: '2026-11-30T19:14:59.465Z',
      startedAt: '2026-11-30T19:15:00.386Z',
      health: undefined,
      env: new Map([
        ['A', 'b=c'],
        ['EMPTY', ''],
      ]),
      addresses: new Map(),
      networkMode: 'host',
      binds: [],
      logFile: '/run/ctr.log',
      standsOn: ['bbb'],
    },
    {
      name: 'temporal-history-2',
      running: true, // its engine is about to start it again
      health: { status: 'starting', output: 'refused', ran: true },
      firstCheckMs: 7_000,
      addresses: new Map([['temporal_default', '172.18.0.5']]),
      binds: [{ from: '/srv/dynamicconfig', to: '/etc/temporal/config/dynamicconfig' }],
      standsOn: ['aaa'],
    },
  ]);
});

test.each(['exited', 'created', 'dead', 'stopped', 'configured'])('%s is not running', (status) => {
  const [container] = readContainers(JSON.stringify([{ ...PODMAN, State: { ...PODMAN.State, Status: status } }]));
  expect(container?.running).toBe(false);
});

test('what "compose run" made once is no server of the service', () => {
  const labels = { ...PODMAN.Config.Labels, 'com.docker.compose.oneoff': 'True' };
  const once = { ...PODMAN, Config: { ...PODMAN.Config, Labels: labels } };
  expect(readContainers(JSON.stringify([once]))).toEqual([]);
});
