import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePorts } from '../../src/lab/free-ports.js';
import { findSshd } from '../../src/lab/sshd-binary.js';
import type { SystemProgram } from '../../src/lab/system-program.js';
import type { SystemdHost } from './systemd-host.js';

const exec = promisify(execFile);

/**
 * Starts an ssh server as a unit of the host, that lets root in by a key made for it. Its files are in `directory`.
 * @returns the path of an ssh_config by which ssh reaches the host as `lab-host`
 */
export async function startSshServer(
  directory: string,
  { addUnit, run }: Pick<SystemdHost, 'addUnit' | 'run'>,
): Promise<string> {
  const sshd = await findSshd();
  const [port = 0] = await findFreePorts(1);
  const at = (name: string) => join(directory, name);
  for (const key of ['host-key', 'user-key'])
    await exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(key)]);
  await copyFile(at('user-key.pub'), at('authorized-keys'));
  await writeFile(at('known-hosts'), `[127.0.0.1]:${port} ${await readFile(at('host-key.pub'), 'utf8')}`);
  const server = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${at('host-key')}`,
    `AuthorizedKeysFile ${at('authorized-keys')}`,
    'PermitRootLogin prohibit-password',
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
    ...ownParts(sshd),
  ];
  await writeFile(at('sshd-config'), `${server.join('\n')}\n`);
  const client = [
    'Host lab-host',
    '  HostName 127.0.0.1',
    `  Port ${port}`,
    '  User root',
    `  IdentityFile ${at('user-key')}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${at('known-hosts')}`,
    '  StrictHostKeyChecking yes',
    // As operators are told to: one connection for many commands.
    '  ControlMaster auto',
    `  ControlPath ${at('ssh-%C')}`,
    '  ControlPersist 20',
  ];
  await writeFile(at('ssh-config'), `${client.join('\n')}\n`);
  await changeUsers(at('passwd'), run);
  const environment = Object.entries(sshd.env).map(([name, value]) => `Environment=${name}=${value}\n`);
  const start = `ExecStart=${sshd.program} -D -e -f ${at('sshd-config')}\n`;
  await addUnit('sshd-lab.service', `[Service]\n${environment.join('')}${start}`);
  await run('systemctl', 'start', 'sshd-lab.service');
  return at('ssh-config');
}

/** From OpenSSH 9.8 on the server is several programs, which it looks for where they would have been installed. */
function ownParts({ folder }: SystemProgram): string[] {
  if (folder === undefined) return [];
  const parts = [
    ['SshdSessionPath', 'sshd-session'],
    ['SshdAuthPath', 'sshd-auth'],
  ] as const;
  return parts
    .map(([setting, name]) => [setting, join(folder, 'usr', 'lib', 'openssh', name)] as const)
    .filter(([, path]) => existsSync(path))
    .map((setting) => setting.join(' '));
}

/**
 * Users of that host alone. The server has to have one of its own, whom an installation would make; and root's shell reads no
 * files of its own, as bash does for ssh, which may take seconds.
 */
async function changeUsers(file: string, run: SystemdHost['run']): Promise<void> {
  const users = (await readFile('/etc/passwd', 'utf8')).replace(/^(root:.*:)[^:]*$/m, '$1/bin/sh').trimEnd();
  const sshd = /^sshd:/m.test(users) ? '' : 'sshd:x:65534:65534::/run/sshd:/usr/sbin/nologin\n';
  await writeFile(file, `${users}\n${sshd}`);
  await run('mount', '--bind', file, '/etc/passwd');
}
