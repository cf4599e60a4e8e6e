import type { Finding } from '../finding.js';
import { DRIVER_WORDS } from '../input/driver-words.js';
import type { StartCause, StartError } from '../survey/start-errors.js';
import type { Check } from '../survey/survey.js';
import { listed, unseenOf } from './words.js';

/** Every process of the input runs; one that does not may say in its log why it could not start. */
export const checkProcesses: Check = ({ cluster: { input, nodes, processes } }, { hop }) => {
  const words = DRIVER_WORDS[input.driver];
  if ('unseen' in nodes) {
    return [
      {
        id: 'processes-unseen',
        severity: hop === undefined ? 'warn' : 'block',
        found: `which processes run is not known: ${nodes.unseen}`,
        expected: 'one process for each node of the input, seen by this worker',
        action: `Correct what the reason names; ${words.look}`,
        source: words.source,
      },
    ];
  }
  const down = nodes.seen.filter(({ running }) => !running);
  return down.flatMap(({ name, role }): Finding[] => {
    const startErrors = processes.find((one) => one.name === name)?.startErrors;
    return [
      {
        id: 'process-down',
        severity: 'block',
        found: `${name} (${role}) does not run: ${words.down}`,
        expected: 'a running process',
        action: `Start it, or correct ${words.correct}`,
        source: words.source,
      },
      ...(startErrors === undefined || 'unseen' in startErrors
        ? []
        : startErrors.seen.map((error) => startError(name, error))),
    ];
  });
};

const ACTIONS: Readonly<Record<StartCause, string>> = {
  'schema-behind': 'Bring the schema of that database to what the version wants, then start it',
  'schema-unreadable': 'See that the database is the right one and its user may read schema_version',
  'database-rights': 'Correct database, user, password or rights in its configuration',
  'database-unreachable':
    'See that the database runs and is reached from there, with the user and password of its configuration',
  'port-taken': 'Stop what has the port; it may be an older process of the same node',
  configuration: 'Correct its configuration file',
  plugin: 'Name a plugin that this version has: mysql and postgres ended with 1.23',
};

function startError(name: string, { cause, text }: StartError): Finding {
  return {
    id: `start-error-${cause}`,
    severity: 'warn',
    found: `the end of the log of ${name}: ${text}`,
    expected: 'a start without an error',
    action: ACTIONS[cause],
    source: 'log of the process',
  };
}

/** Each that runs says SERVING, where its role can say so. */
export const checkHealth: Check = ({ cluster }, { hop }) => {
  const states = 'seen' in cluster.nodes ? cluster.nodes.seen : [];
  const asked = cluster.processes.filter(({ name }) => states.find((one) => one.name === name)?.running !== false);
  const unseen = [
    ...unseenOf(
      asked,
      ({ health }) => health,
      ({ name }) => name,
    ),
  ].map(([reason, names]): Finding => ({
    id: 'health-unseen',
    severity: hop === undefined ? 'warn' : 'block',
    found: `the health of ${listed(names)} could not be asked: ${reason}`,
    expected: 'an answer',
    action: 'Correct what the reason names',
    source: 'gRPC health service of each role',
  }));
  const sick = asked.flatMap(({ name, role, rpcAddress, health }): Finding[] => {
    if ('unseen' in health || health.seen === 'SERVING' || health.seen === 'NO_SERVICE') return [];
    return [
      {
        id: 'not-serving',
        severity: 'block',
        found: `${name} (${role}) runs, but its health at ${rpcAddress} is ${health.seen}`,
        expected: 'SERVING',
        action:
          role === 'history'
            ? 'Wait while it takes its shards (from 1.28 on it serves only then); if it stays so, see its log'
            : 'See its log, and whether "rpcAddress" and TLS of the input are right',
        source: 'gRPC health service of each role',
      },
    ];
  });
  return [...unseen, ...sick];
};
