import { writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { startDetached } from '../../../adapters/run-command.js';
import { PreconditionError } from '../../../core/errors.js';
import { shellLine } from '../../../core/shell-line.js';
import { KeptProcess } from '../../kept-process.js';
import { filesOfNode, type NodePlace } from './node-files.js';

/** Settings of the kernel that a kubelet wants, and else sets for the whole host: kubernetes/pkg/util/sysctl. */
const WANTED = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
} as const;

/** What containerd and the kubelet keep outside of their own folders: sockets, names of networks, links to logs. Empty in the room. */
const HIDDEN = ['/run', '/var/lib', '/var/log'] as const;

/**
 * Starts containerd and the kubelet in a room of their own: with mounts and processes that this host does not have, which all end with
 * its first process, and that with this one. So nothing of a node outlives a killed test but empty control groups and a bridge. In the room the
 * kernel's settings read as a kubelet wants them, for which it then changes none. The network is the host's, with pods behind a bridge.
 * @throws PreconditionError when a file of it would be hidden there; CommandError when setpriv or unshare of util-linux cannot be started
 */
export async function startRoom(place: NodePlace): Promise<KeptProcess> {
  const { directory, programs } = place;
  const files = filesOfNode(directory);
  for (const path of [directory, programs.containerd, programs.kubelet]) {
    const hidden = HIDDEN.find((folder) => path.startsWith(`${folder}/`));
    if (hidden !== undefined)
      throw new PreconditionError(
        `${path} lies below ${hidden}, which is empty for a node of the lab; use another folder`,
      );
  }
  await writeFile(files.room, await scriptOf(place));
  const isolated = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', files.room];
  const { pid } = await startDetached('setpriv', ['--pdeathsig', 'KILL', ...isolated], {
    cwd: directory,
    logFile: files.roomLog,
    env: { PATH: [dirname(programs.containerd), process.env['PATH'] ?? ''].join(delimiter) },
  });
  const room = new KeptProcess(join(directory, 'room.json'));
  await room.keep(pid);
  return room;
}

async function scriptOf(place: NodePlace): Promise<string> {
  const { directory, programs } = place;
  const files = filesOfNode(directory);
  const settings: string[] = [];
  for (const [name, value] of Object.entries(WANTED)) {
    const file = join(directory, name.replaceAll('/', '.'));
    await writeFile(file, `${value}\n`);
    settings.push(shellLine(['mount', '--bind', file, `/proc/sys/${name}`]));
  }
  const containerd = [programs.containerd, '--config', files.containerd];
  const lines = [
    'set -eu',
    ...settings,
    ...HIDDEN.map((folder) => `mount -t tmpfs room ${folder}`),
    `${shellLine(containerd)} >${shellLine([files.containerdLog])} 2>&1 &`,
    // A kubelet that finds no containerd gives up.
    `until [ -S ${shellLine([files.socket])} ]; do kill -0 $!; sleep 0.1; done`,
    `${shellLine([programs.kubelet, ...kubeletArguments(place)])} >${shellLine([files.kubeletLog])} 2>&1 &`,
    // Takes what pods leave behind, too.
    'wait',
  ];
  return `${lines.join('\n')}\n`;
}

function kubeletArguments({ directory, nodeName, kubeconfig, network }: NodePlace): string[] {
  return [
    `--config=${filesOfNode(directory).kubelet}`,
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${nodeName}`,
    `--node-ip=${network.host}`,
    `--root-dir=${join(directory, 'kubelet')}`,
    `--cert-dir=${join(directory, 'certificates')}`,
  ];
}
