import { PreconditionError } from '../../core/errors.js';
import type { Host } from './host.js';

/** A unit as `systemctl show` has it. */
export interface UnitState {
  /** `loaded`, `not-found`, `masked`, … */
  readonly loadState: string;
  /** `active`, `inactive`, `failed`, `activating` (also between two restarts), `deactivating`. */
  readonly activeState: string;
  /** 0 when no process runs. */
  readonly mainPid: number;
  /** When its last main process began, ISO 8601, to the second; absent when there never was one. */
  readonly startedAt?: string | undefined;
  /** Process id and start time in microseconds since boot: no other run of a process has both. */
  readonly instance: string;
  /** First word of ExecStart, as systemd has loaded it. */
  readonly program?: string | undefined;
  /** Files that the unit is made of. */
  readonly files: readonly string[];
}

const PROPERTIES = [
  'LoadState',
  'ActiveState',
  'MainPID',
  'ExecMainStartTimestamp',
  'ExecMainStartTimestampMonotonic',
  'ExecStart',
  'FragmentPath',
  'DropInPaths',
];

/** The states of units of one host, in the order in which they were asked about. @throws PreconditionError */
export async function readUnits(host: Host, units: readonly string[]): Promise<readonly UnitState[]> {
  // systemctl writes times for whoever asks: in which language and zone is said, whatever the host has.
  const argv = ['env', 'LC_ALL=C', 'TZ=UTC', 'systemctl', 'show', `--property=${PROPERTIES.join(',')}`, '--', ...units];
  const states = parseUnits(await host.run(argv));
  if (states.length === units.length) return states;
  throw new PreconditionError(`systemctl on ${host.name} told of ${states.length} units, asked about ${units.length}`, {
    host: host.name,
    units,
  });
}

/** What `systemctl show` printed: blocks of `NAME=VALUE`, with an empty line between. */
export function parseUnits(printed: string): UnitState[] {
  return printed
    .trim()
    .split(/\n\n+/)
    .filter((block) => block !== '')
    .map((block) => {
      const values = new Map(block.split('\n').map((line) => splitAtEquals(line)));
      const value = (name: string): string => values.get(name) ?? '';
      const mainPid = Number(value('MainPID'));
      return {
        loadState: value('LoadState'),
        activeState: value('ActiveState'),
        mainPid: Number.isInteger(mainPid) ? mainPid : 0,
        startedAt: timeOf(value('ExecMainStartTimestamp')),
        instance: `${mainPid}@${value('ExecMainStartTimestampMonotonic')}`,
        program: /^\{ path=(\S+) ;/.exec(value('ExecStart'))?.[1],
        files: [value('FragmentPath'), ...value('DropInPaths').split(' ')].filter((file) => file !== ''),
      };
    });
}

function splitAtEquals(line: string): [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}

/** `Sun 2026-11-22 00:58:42 UTC` as ISO 8601. */
function timeOf(text: string): string | undefined {
  const [, day, time] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC$/.exec(text) ?? [];
  return day === undefined || time === undefined ? undefined : `${day}T${time}.000Z`;
}
