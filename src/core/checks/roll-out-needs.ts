import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';
import { valueOf } from '../survey/seen.js';
import { UPGRADE_GUIDE } from '../sources.js';
import { listed, unseenOf } from './words.js';
import { notDown } from './who-runs.js';

/** Every role has a second process that goes on while the first is replaced. */
export const checkSingleProcesses: Check = ({ cluster }, { hop }) => {
  if (hop === undefined) return [];
  const states = valueOf(cluster.nodes) ?? [];
  // Where a successor serves before it goes there is no gap of the roll's own.
  const hasSurge = (role: string) => states.some((node) => node.role === role && node.surge === true);
  const alone = (role: string): boolean => notDown(cluster).filter((process) => process.role === role).length === 1;
  const serving = ['frontend', 'history', 'matching'].filter((role) => alone(role) && !hasSurge(role));
  if (serving.length === 0) return [];
  return [
    {
      id: 'single-process',
      severity: 'warn',
      found: `there is one process alone of ${listed(serving)}: while it is replaced, calls fail and clients retry`,
      expected: 'two or more of each role, for a roll without a gap',
      action: 'Start a second one of each and name it in the input, or take the gap of some seconds',
      source: UPGRADE_GUIDE,
    },
  ];
};

/** Nothing else starts the processes again when the roll-out stops them. */
export const checkSupervisors: Check = ({ cluster }, { hop }) => {
  const running = notDown(cluster);
  const unseen =
    'unseen' in cluster.nodes
      ? new Map<string, readonly string[]>()
      : unseenOf(
          running,
          ({ supervisors }) => supervisors,
          ({ name }) => name,
        );
  return [
    ...[...unseen].map(([reason, names]): Finding => ({
      id: 'supervisor-unseen',
      severity: 'warn',
      found: `what would start ${listed(names)} again is not known: ${reason}`,
      expected: 'nothing but this tool starts servers',
      action: 'Run the worker as the user of the servers',
      source: '/proc of the worker’s host',
    })),
    ...running.flatMap(({ name, supervisors }) =>
      ('seen' in supervisors ? supervisors.seen : []).map((supervisor): Finding => {
        const found = `${name} belongs to a supervisor: ${supervisor.kind} ${supervisor.name} (${supervisor.evidence})`;
        const source = '/proc of the worker’s host; alexandrevilain/temporal-operator issues #858 and #986';
        if (hop === undefined) return { id: 'supervisor-found', severity: 'note', found, source };
        return {
          id: 'supervisor-found',
          severity: 'block',
          found,
          expected:
            'nothing but this tool starts servers: it would start the old version again while the new one is started',
          action: 'Take the servers from it first: disable the unit, or start them with this tool alone',
          source,
        };
      }),
    ),
  ];
};

/** The programs of the version that a hop leads to are at hand. */
export const checkTools: Check = ({ cluster: { tools } }, { hop }) => {
  const wanted = hop === undefined ? tools : tools.filter(({ version }) => version === hop.to);
  const source = 'folder of TEMPORAL_UPGRADE_TOOLS_DIR, PATH and the cache of this worker';
  if (hop !== undefined && wanted.length === 0) {
    return [
      {
        id: 'tools-unseen',
        severity: 'block',
        found: `nobody looked for the programs of ${hop.to}`,
        expected: 'server and schema tool of that version',
        action: 'Survey the cluster with that version among "versions"',
        source,
      },
    ];
  }
  return wanted.flatMap(({ tool, version, place }): Finding[] => {
    const looked = 'unseen' in place ? { from: [], why: place.unseen } : place.seen;
    if ('at' in looked) return [];
    const { from, why } = looked;
    const found = `${tool} ${version} is not at hand: ${why}`;
    const come = from.length === 0 ? 'Put the right one there' : `It would come from ${listed(from)}`;
    if (hop === undefined) return [{ id: 'tool-missing', severity: 'note', found, action: come, source }];
    const action =
      from.length === 0 ? come : `Let the worker bring it, or put it there by hand; it would come from ${listed(from)}`;
    return [{ id: 'tool-missing', severity: 'block', found, expected: `${tool} of ${version}`, action, source }];
  });
};
