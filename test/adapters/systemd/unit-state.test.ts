import { expect, test } from '@jest/globals';
import { parseUnits } from '../../../src/adapters/systemd/unit-state.js';

// As systemd 252 prints them.
const RUNNING = `MainPID=16
ExecMainStartTimestamp=Sun 2026-11-22 00:58:42 UTC
ExecMainStartTimestampMonotonic=50338844530
ExecStart={ path=/opt/temporal/1.30.7/temporal-server ; argv[]=/opt/temporal/1.30.7/temporal-server --env a=b start ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=16 ; code=(null) ; status=0/0 }
LoadState=loaded
ActiveState=active
FragmentPath=/etc/systemd/system/a.service
DropInPaths=/etc/systemd/system/a.service.d/1.conf /etc/systemd/system/a.service.d/2.conf`;
const MISSING = `MainPID=0
ExecMainStartTimestamp=
ExecMainStartTimestampMonotonic=0
LoadState=not-found
ActiveState=inactive
FragmentPath=
DropInPaths=`;

test('a unit that runs, and one that is not there, in the order of the blocks', () => {
  expect(parseUnits(`${RUNNING}\n\n${MISSING}\n`)).toEqual([
    {
      loadState: 'loaded',
      activeState: 'active',
      mainPid: 16,
      startedAt: '2026-11-22T00:58:42.000Z',
      instance: '16@50338844530',
      program: '/opt/temporal/1.30.7/temporal-server',
      files: [
        '/etc/systemd/system/a.service',
        '/etc/systemd/system/a.service.d/1.conf',
        '/etc/systemd/system/a.service.d/2.conf',
      ],
    },
    {
      loadState: 'not-found',
      activeState: 'inactive',
      mainPid: 0,
      startedAt: undefined,
      instance: '0@0',
      program: undefined,
      files: [],
    },
  ]);
});

test('nothing is no unit', () => {
  expect(parseUnits('\n')).toEqual([]);
});
