import { findSystemProgram } from '../system-program.js';

/** Path of etcd. @throws PreconditionError when there is none to be had */
export async function findEtcd(): Promise<string> {
  const { program } = await findSystemProgram({
    name: 'etcd-server',
    installed: 'etcd',
    packages: ['etcd-server'],
    places: ['usr/bin/etcd'],
    asked: ['--version'],
    install: 'etcd 3.4 or later',
  });
  return program;
}
