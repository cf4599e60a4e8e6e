import type { DriverInput } from './drivers.js';

/** How a driver knows whether a node runs, in words for people. */
export interface DriverWords {
  /** Why a node is said not to run. */
  readonly down: string;
  /** Fields of the input that may be wrong then. */
  readonly correct: string;
  /** Where it looked. */
  readonly source: string;
  /** What to do when it could not look. */
  readonly look: string;
}

export const DRIVER_WORDS: Readonly<Record<DriverInput['type'], DriverWords>> = {
  process: {
    down: 'no process has its configuration folder and role',
    correct: '"configDir" and "role" of the input',
    source: '/proc of the worker’s host',
    look: 'run the worker on the host of the servers, as their user',
  },
  systemd: {
    down: 'its unit has no main process',
    correct: '"unit" and "host" of the input',
    source: 'systemctl show',
    look: 'see that the worker’s user may ask systemctl there, and a process for its version ("sudo" of the input)',
  },
  command: {
    down: 'its status command names no version',
    correct: '"commands.status" of the input',
    source: 'status command of the input',
    look: 'run the status command by hand, as the worker’s user',
  },
  compose: {
    down: 'its service has no container that runs',
    correct: '"project" or "services" of the input',
    source: 'containers of the project, as the engine lists them',
    look: 'see that the worker’s user may ask the engine ("engine" and "environment" of the input)',
  },
  kubernetes: {
    down: 'its workload wants one more pod than runs',
    correct: '"namespace", "release" or "workloads" of the input',
    source: 'API server of the Kubernetes cluster',
    look: 'see that the worker reaches the API server, with the rights of service/kubernetes/role.yaml',
  },
};
