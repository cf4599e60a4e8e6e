import { readFile } from 'node:fs/promises';

/** Of USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** User and system time of a process and all its threads, in seconds: fields 14 and 15 of /proc/PID/stat. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // Its second field is a name in brackets, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export interface MachineTicks {
  readonly busy: number;
  readonly all: number;
}

/** What the whole machine has done since it started, in ticks over all cores: the first line of /proc/stat. */
export async function machineTicks(): Promise<MachineTicks> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n', 1);
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const all = ticks.reduce((sum, each) => sum + each, 0);
  // Fields 4 and 5 are idle and waiting for a disk.
  return { all, busy: all - (ticks[3] ?? 0) - (ticks[4] ?? 0) };
}

/** How busy all cores were between two looks at {@link machineTicks}, from 0 to 1. */
export function busyBetween(before: MachineTicks, after: MachineTicks): number {
  return (after.busy - before.busy) / (after.all - before.all);
}
