import type { Finding } from '../finding.js';
import type { ComposeSurvey } from '../survey/compose-survey.js';
import type { Check } from '../survey/survey.js';
import { listed } from './words.js';

const ENGINE = 'containers of the project, as the engine lists them';
const DOCS = 'docs/compose.md';

/** What of Compose a roll depends on, where the servers are its services. */
export const checkCompose: Check = ({ cluster: { compose } }, { hop }) => {
  if (compose === undefined) return [];
  const severity = hop === undefined ? 'warn' : 'block';
  return [
    ...unseen(compose, severity),
    ...missing(compose, severity),
    ...obstacles(compose, severity),
    ...severalRoles(compose),
    ...notKept(compose),
  ];
};

function unseen({ version, services, command }: ComposeSurvey, severity: Finding['severity']): Finding[] {
  const parts = [
    { what: `"${command}" could not be run`, seen: version },
    { what: 'the containers of the project could not be looked at', seen: services },
  ];
  return parts.flatMap(({ what, seen }): Finding[] =>
    'seen' in seen
      ? []
      : [
          {
            id: 'compose-unseen',
            severity,
            found: `${what}: ${seen.unseen}`,
            expected: 'Compose and an engine that answer to the user of the worker',
            action: 'Correct what the reason names: "driver.command", "engine" or "environment"',
            source: ENGINE,
          },
        ],
  );
}

function missing({ services, project }: ComposeSurvey, severity: Finding['severity']): Finding[] {
  if ('unseen' in services) return [];
  const without = services.seen.filter(({ containers }) => containers === 0).map(({ service }) => service);
  if (without.length === 0) return [];
  return [
    {
      id: 'service-without-container',
      severity,
      found: `${listed(without)} of project ${project} have no container`,
      expected: 'a container of each service that runs servers',
      action: 'Correct "driver.project" or "services", or bring them up',
      source: ENGINE,
    },
  ];
}

function obstacles({ obstacles: seen }: ComposeSurvey, severity: Finding['severity']): Finding[] {
  if ('unseen' in seen) return [];
  return seen.seen.map(({ what, remedy }) => ({
    id: 'not-replaceable-alone',
    severity,
    found: what,
    expected: 'containers that can be replaced one by one, each with the version that it is given',
    action: `${remedy.slice(0, 1).toUpperCase()}${remedy.slice(1)}`,
    source: DOCS,
  }));
}

/** All of them are replaced with the first: there is no role by role. */
function severalRoles({ services }: ComposeSurvey): Finding[] {
  if ('unseen' in services) return [];
  return services.seen
    .filter(({ roles }) => roles.length > 1)
    .map(({ service, roles, containers }) => ({
      id: 'roles-in-one-process',
      severity: 'warn' as const,
      found: `${service} runs ${listed(roles)} in one process: they are replaced at the same moment${containers > 1 ? '' : ', and until its successor serves nothing does'}`,
      expected: 'a service for each role, so that one is proved before the next',
      action: 'Accept the gap, or give each role a service of its own (image temporalio/server, variable SERVICES)',
      source: DOCS,
    }));
}

function notKept({ toKeep, overrideFile }: ComposeSurvey): Finding[] {
  if (toKeep === undefined) return [];
  return [
    {
      id: 'images-not-kept',
      severity: 'warn',
      found: `an "up" by hand does not read ${overrideFile}, in which the images of the new version will be: it would go back to those in your files`,
      expected: 'a project whose every "up" reads that file',
      action: `${toKeep.slice(0, 1).toUpperCase()}${toKeep.slice(1)}`,
      source: DOCS,
    },
  ];
}
