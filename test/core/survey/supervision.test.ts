import { expect, test } from '@jest/globals';
import { type Ancestor, supervisorsOf } from '../../../src/core/survey/supervision.js';

const OWN = '0::/user.slice/user-1000.slice/session-3.scope\n';
const POD = 'kubepods-burstable-pod8d3f5c1a_2b6e_4c1d_9a7f_0123456789ab.slice';
const ID = '4f5a'.repeat(16);

test.each<[string, string, readonly string[]]>([
  ['the group of this worker', OWN, []],
  ['no group at all', '0::/\n', []],
  ['a login', '0::/user.slice/user-1000.slice/session-7.scope', []],
  ['the manager of a login', '0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope', []],
  ['a unit', '0::/system.slice/temporal-history.service', ['systemd unit temporal-history.service']],
  [
    'a unit of a person',
    '0::/user.slice/user@1000.service/app.slice/temporal.service',
    ['systemd unit temporal.service'],
  ],
  [
    'a unit, by the older hierarchies',
    `12:pids:/\n1:name=systemd:/system.slice/temporal.service`,
    ['systemd unit temporal.service'],
  ],
  ['Docker', `0::/system.slice/docker-${ID}.scope`, ['container 4f5a4f5a4f5a']],
  ['Docker without systemd', `5:memory:/docker/${ID}`, ['container 4f5a4f5a4f5a']],
  ['Podman', `0::/machine.slice/libpod-${ID}.scope/container`, ['container 4f5a4f5a4f5a']],
  [
    'Kubernetes',
    `0::/kubepods.slice/kubepods-burstable.slice/${POD}/cri-containerd-${ID}.scope`,
    ['Kubernetes pod 8d3f5c1a-2b6e-4c1d-9a7f-0123456789ab'],
  ],
  [
    'Kubernetes without systemd',
    `4:cpu:/kubepods/besteffort/pod8d3f5c1a-2b6e-4c1d-9a7f-0123456789ab/${ID}`,
    ['Kubernetes pod 8d3f5c1a-2b6e-4c1d-9a7f-0123456789ab'],
  ],
])('control group: %s', (_, cgroup, expected) => {
  const found = supervisorsOf({ pid: 7, cgroup, ownCgroup: OWN, ancestors: [] });
  expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual(expected);
  for (const { evidence } of found) expect(evidence).toMatch(/^\/proc\/7\/cgroup: \//);
});

const above = (...commands: readonly string[]): Ancestor[] =>
  commands.map((command, index) => ({
    pid: 100 + index,
    argv: command.replace(/^OURS /, '').split(' '),
    isOurs: command.startsWith('OURS '),
  }));

test.each<[string, readonly Ancestor[], readonly string[]]>([
  ['init', [], []],
  ['a worker of ours', above('OURS node /opt/temporal-upgrade/dist/cli.js', 'bash'), []],
  ['a person at a shell', above('-bash', 'sshd: ann@pts/0'), []],
  ['a person who uses sudo', above('sudo temporal-server start', 'bash -l', 'tmux'), []],
  ['a shell loop', above('/bin/sh /opt/keep-running.sh'), ['sh (process 100)']],
  ['a command of a shell', above('bash -c while'), ['bash (process 100)']],
  ['a shell loop below a shell', above('sh loop.sh', 'bash'), ['sh (process 100)']],
  ['a supervisor', above('/usr/bin/supervisord -n'), ['supervisord (process 100)']],
  [
    'a supervisor above a wrapper',
    above('setpriv --reuid=1000', 'runsv temporal', 'runsvdir /etc'),
    ['runsv (process 101)'],
  ],
  ['the manager of a login', above('/usr/lib/systemd/systemd --user'), []],
])('parent: %s', (_, ancestors, expected) => {
  const found = supervisorsOf({ pid: 7, cgroup: OWN, ownCgroup: OWN, ancestors });
  expect(found.map(({ name }) => name)).toEqual(expected);
});
