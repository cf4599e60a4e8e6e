import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, copyFile, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startSshServer } from './ssh-server.js';

/**
 * A real systemd as process 1 of namespaces of its own (mounts, process ids, host name, control groups), with the network and
 * the files of this machine. It knows the units that it is given and no others, so that nothing of the machine is touched.
 */

const exec = promisify(execFile);
const SYSTEMD = '/lib/systemd/systemd';
const JOURNAL = ['systemd-journald.service', 'systemd-journald.socket', 'systemd-journald-dev-log.socket'];
const TARGETS = ['sysinit', 'basic', 'shutdown', 'sockets', 'lab'];

/** What is missing for it; undefined when nothing is. */
export const systemdMissing = whatIsMissing();

function whatIsMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'root';
  const files = [
    SYSTEMD,
    '/usr/bin/unshare',
    '/usr/bin/nsenter',
    ...JOURNAL.map((unit) => `/lib/systemd/system/${unit}`),
  ];
  return files.find((file) => !existsSync(file)) ?? (cgroupRoot() === undefined ? 'cgroup2' : undefined);
}

/** What is missing to reach it by ssh: the server is brought where there is none. */
export const sshMissing = systemdMissing ?? ['/usr/bin/ssh', '/usr/bin/ssh-keygen'].find((file) => !existsSync(file));

function cgroupRoot(): string | undefined {
  return /^\S+ (\S+) cgroup2 \S*\brw\b/m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
}

export interface SystemdHost {
  /** What is run before a command so that it runs there. */
  readonly prefix: readonly string[];
  /** Starts an ssh server there. Given to ssh, the file reaches this host as `lab-host`. Needs what {@link sshMissing} says. */
  startSsh(): Promise<string>;
  /** Writes a unit and has it loaded. */
  addUnit(name: string, text: string): Promise<void>;
  run(...argv: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

const INSIDE = `
set -e
mount -t proc proc /proc
umount -R -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mount --bind "$1/system" /etc/systemd/system
mount --bind /dev/null /dev/kmsg
if [ -e /dev/console ]; then mount --bind /dev/null /dev/console; fi
mkdir -p /run/systemd/journald.conf.d /run/sshd
printf '[Journal]\\nReadKMsg=no\\nAudit=no\\nStorage=volatile\\n' > /run/systemd/journald.conf.d/lab.conf
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH=/etc/systemd/system \\
  SYSTEMD_GENERATOR_PATH="$1/none" SYSTEMD_ENVIRONMENT_GENERATOR_PATH="$1/none" \\
  ${SYSTEMD} --system --unit=lab.target --show-status=no --log-target=journal
`;

const OUTSIDE = `
set -e
echo $$ > "$2/cgroup.procs"
exec unshare --mount --uts --ipc --pid --cgroup --fork --kill-child --propagation private sh -c '${INSIDE.replaceAll("'", `'\\''`)}' inside "$1"
`;

/** Starts it with files in `directory`, and waits until it takes orders. Needs what {@link systemdMissing} says. */
export async function startSystemdHost(directory: string): Promise<SystemdHost> {
  const units = join(directory, 'system');
  await mkdir(units, { recursive: true });
  await mkdir(join(directory, 'none'));
  for (const name of TARGETS) await writeFile(join(units, `${name}.target`), `[Unit]\nDescription=${name}\n`);
  await appendFile(join(units, 'lab.target'), 'Wants=systemd-journald.service\n');
  for (const unit of JOURNAL) await copyFile(`/lib/systemd/system/${unit}`, join(units, unit));
  const cgroup = join(cgroupRoot() ?? '', `systemd-lab-${process.pid}-${Date.now()}`);
  await mkdir(cgroup);
  const child = spawn('sh', ['-c', OUTSIDE, 'outside', directory, cgroup], { stdio: 'ignore', detached: true });
  const init = await untilThere(() => childOf(child.pid ?? 0));
  const prefix = ['nsenter', '--target', String(init), '--mount', '--pid', '--uts', '--ipc', '--cgroup', '--'];
  const run = async (...argv: readonly string[]) => (await exec(prefix[0] ?? '', [...prefix.slice(1), ...argv])).stdout;
  const stop = async () => {
    process.kill(init, 'SIGKILL'); // with it goes every process of its namespace
    await untilThere(async () =>
      (await childOf(child.pid ?? 0).catch(() => undefined)) === undefined ? true : undefined,
    );
    await removeCgroup(cgroup);
  };
  const addUnit = async (name: string, text: string) => {
    await writeFile(join(units, name), text);
    await run('systemctl', 'daemon-reload');
  };
  try {
    await untilThere(async () => (await run('systemctl', 'is-system-running').catch(() => '')).trim() || undefined);
    const startSsh = async () => {
      const file = await startSshServer(directory, { addUnit, run });
      await untilThere(async () => (await exec('ssh', ['-F', file, 'lab-host', 'echo', 'there'])).stdout || undefined);
      return file;
    };
    return { prefix, startSsh, addUnit, run, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function childOf(pid: number): Promise<number | undefined> {
  const [child] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
  return child === undefined || child === '' ? undefined : Number(child);
}

async function untilThere<T>(find: () => Promise<T | undefined>): Promise<T> {
  for (let tried = 0; tried < 300; tried += 1) {
    const found = await find().catch(() => undefined);
    if (found !== undefined) return found;
    await sleep(100);
  }
  throw new Error('the systemd of the test did not come up, or did not go, within half a minute');
}

async function removeCgroup(cgroup: string): Promise<void> {
  const { stdout } = await exec('find', [cgroup, '-depth', '-type', 'd']);
  for (const folder of stdout.trim().split('\n')) {
    await untilThere(async () =>
      rmdir(folder).then(
        () => true,
        () => undefined,
      ),
    );
  }
}
