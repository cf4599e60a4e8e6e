import { findSystemProgram, type SystemProgram } from './system-program.js';

/** haproxy, as {@link findSystemProgram} finds it. @throws PreconditionError when there is none to be had */
export function findHaproxy(): Promise<SystemProgram> {
  return findSystemProgram({
    name: 'haproxy',
    installed: 'haproxy',
    packages: ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'],
    places: ['usr/sbin/haproxy'],
    asked: ['-v'],
    install: 'haproxy 2.4 or later',
  });
}
