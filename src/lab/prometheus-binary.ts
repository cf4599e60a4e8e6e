import { findSystemProgram, type SystemProgram } from './system-program.js';

/** Prometheus; its pages for people need more packages than its API. @throws PreconditionError when there is none to be had */
export function findPrometheus(): Promise<SystemProgram> {
  return findSystemProgram({
    name: 'prometheus',
    installed: 'prometheus',
    packages: ['prometheus'],
    places: ['usr/bin/prometheus'],
    asked: ['--version'],
    install: 'prometheus 2.42 or later',
  });
}
