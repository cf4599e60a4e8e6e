import { findSystemProgram, type SystemProgram } from './system-program.js';

/** OpenSSH's server. Where it is not installed there may be no user `sshd` either, which it asks for. @throws PreconditionError */
export function findSshd(): Promise<SystemProgram> {
  return findSystemProgram({
    name: 'openssh-server',
    installed: '/usr/sbin/sshd', // it starts itself anew, and wants to be called by its path
    packages: ['openssh-server', 'libwrap0'],
    places: ['usr/sbin/sshd'],
    asked: ['-V'],
    install: 'openssh-server',
  });
}
