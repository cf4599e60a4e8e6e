import type { Finding } from '../finding.js';
import type { NamespaceSurvey } from '../survey/namespace-survey.js';
import type { Check, Survey } from '../survey/survey.js';
import { countOf } from '../count-of.js';
import { fewOf, listed, unseenOf } from './words.js';

function lookedAt({ cluster: { namespaces } }: Survey): readonly NamespaceSurvey[] {
  return 'seen' in namespaces ? namespaces.seen.looked : [];
}

/** The namespaces could be looked at, all of them, and visibility answers in each. */
export const checkNamespacesSeen: Check = (survey, { hop }) => {
  const { namespaces, frontends } = survey.cluster;
  if ('unseen' in namespaces) {
    // Without any frontend that is said already.
    if (frontends.every(({ info }) => 'unseen' in info)) return [];
    return [
      {
        id: 'namespaces-unseen',
        severity: hop === undefined ? 'warn' : 'block',
        found: `the namespaces are not known: ${namespaces.unseen}`,
        expected: 'a list of them',
        action: 'Give the credentials of the input the rights of an administrator of the cluster',
        source: 'ListNamespaces',
      },
    ];
  }
  const { count, looked } = namespaces.seen;
  const cut: Finding[] =
    looked.length >= count
      ? []
      : [
          {
            id: 'namespaces-cut',
            severity: 'note',
            found: `${looked.length} of ${countOf(count, 'namespace')} were looked at`,
            source: 'ListNamespaces',
          },
        ];
  return [...cut, ...visibilityQueries(looked), ...otherUnseen(looked)];
};

function visibilityQueries(looked: readonly NamespaceSurvey[]): Finding[] {
  return [
    ...unseenOf(
      looked,
      ({ running }) => running,
      ({ name }) => name,
    ),
  ].map(([reason, names]) => ({
    id: 'visibility-query-failed',
    severity: 'warn',
    found: `the running workflows of ${fewOf(names)} can be neither counted nor listed: ${reason}`,
    expected: 'an answer of visibility',
    action: 'See the schema of the visibility store and the logs of the frontends',
    source: 'CountWorkflowExecutions and ListWorkflowExecutions',
  }));
}

function otherUnseen(looked: readonly NamespaceSurvey[]): Finding[] {
  const listedOnes = looked.filter(({ running }) => 'seen' in running);
  return [
    ...unseenOf(
      listedOnes,
      ({ taskQueues }) => taskQueues,
      ({ name }) => name,
    ),
  ].map(([reason, names]) => ({
    id: 'task-queues-unseen',
    severity: 'warn',
    found: `the task queues of ${fewOf(names)} could not be asked: ${reason}`,
    expected: 'who polls them, and what waits',
    action: 'See whether the matching processes serve and are in the ring',
    source: 'DescribeTaskQueue',
  }));
}

/** Nothing waits in a task queue that nobody polls; canaries may be started a moment before their workers. */
export const checkTaskQueues: Check = (survey, { canaryNamespaces = [] }) =>
  lookedAt(survey).flatMap(({ name: namespace, taskQueues }) =>
    ('seen' in taskQueues && !canaryNamespaces.includes(namespace) ? taskQueues.seen : [])
      .filter(({ pollers, backlog }) => pollers === 0 && backlog > 0)
      .map(({ name, kind, backlog }): Finding => ({
        id: 'task-queue-without-poller',
        severity: 'warn',
        found: `${countOf(backlog, `${kind} task`)} wait in task queue ${name} of ${namespace}, which nobody polls`,
        expected: 'workers that poll it',
        action: 'Start its workers, or see why they do not reach the cluster',
        source: 'DescribeTaskQueue',
      })),
  );

/** What runs, for whoever decides about a hop. */
export const noteRunning: Check = (survey, { hop }) => {
  if (hop === undefined) return [];
  return lookedAt(survey).flatMap(({ name, running }): Finding[] => {
    if ('unseen' in running || running.seen.count === 0) return [];
    const { count, listed: seen, byType } = running.seen;
    const types = Object.entries(byType)
      .toSorted(([, a], [, b]) => b - a)
      .map(([type, number]) => `${number} ${type}`);
    const cut = seen < count ? ` (of the ${seen} that were listed)` : '';
    return [
      {
        id: 'running-workflows',
        severity: 'note',
        found: `${countOf(count, 'workflow')} of ${name} run: ${fewOf(types)}${cut}`,
        source: 'CountWorkflowExecutions and ListWorkflowExecutions',
      },
    ];
  });
};

/** SDKs at work, as far as the server can tell. */
export const noteSdks: Check = (survey) =>
  lookedAt(survey).flatMap(({ name, running, sdks }): Finding[] => {
    const source = 'ListWorkers, and SDK metadata of completed workflow tasks';
    if ('unseen' in sdks) {
      return [
        {
          id: 'sdks-unseen',
          severity: 'note',
          found: `the SDKs at work on ${name} are not known: ${sdks.unseen}`,
          source,
        },
      ];
    }
    if (sdks.seen.length > 0) {
      const each = sdks.seen.map(({ name: sdk, version, seenIn }) => `${sdk} ${version} (${seenIn})`);
      return [{ id: 'sdk-versions', severity: 'note', found: `SDKs at work on ${name}: ${fewOf(each)}`, source }];
    }
    if ('unseen' in running || running.seen.count === 0) return [];
    const found = `the SDKs at work on ${name} are not known: no worker and no history that was read tells`;
    return [{ id: 'sdks-unseen', severity: 'note', found, source }];
  });

/** Archives are written by the servers themselves and have no schema that would be upgraded. */
export const noteArchival: Check = (survey) => {
  const archiving = lookedAt(survey).filter(({ archival: { history, visibility } }) => history || visibility);
  if (archiving.length === 0) return [];
  const each = archiving.map(({ name, archival: { history, visibility } }) => {
    const kinds = [...(history ? ['history'] : []), ...(visibility ? ['visibility'] : [])];
    return `${name} (${listed(kinds)})`;
  });
  return [
    {
      id: 'archival-on',
      severity: 'note',
      found: `closed workflows are archived: ${fewOf(each)}`,
      action: 'See after the hop that archives are still written; a backup of the databases does not hold them',
      source: 'ListNamespaces',
    },
  ];
};

/** Custom search attributes are made anew where a hop wants visibility moved to another kind of store. */
export const checkSearchAttributes: Check = (survey, { hop }) => {
  const moves = hop?.moves.filter(({ part }) => part !== 'default') ?? [];
  const [move] = moves;
  if (move === undefined) return [];
  const looked = lookedAt(survey);
  const having = looked.flatMap(({ name, customSearchAttributes: attributes }) => {
    const names = 'seen' in attributes ? Object.keys(attributes.seen) : [];
    return names.length === 0 ? [] : [`${name} (${fewOf(names, 3)})`];
  });
  const unseen = unseenOf(
    looked,
    ({ customSearchAttributes }) => customSearchAttributes,
    ({ name }) => name,
  );
  return [
    ...[...unseen].map(([reason, names]): Finding => ({
      id: 'search-attributes-unseen',
      severity: 'warn',
      found: `the custom search attributes of ${fewOf(names)} are not known: ${reason}`,
      expected: 'a list of them, as visibility moves to another store before this hop',
      action: 'List them with the Temporal CLI: temporal operator search-attribute list',
      source: 'ListSearchAttributes',
    })),
    ...(having.length === 0
      ? []
      : [
          {
            id: 'custom-search-attributes',
            severity: 'note' as const,
            found: `visibility moves from ${move.fromKind} to ${move.toKind} before this hop, and namespaces have custom search attributes: ${fewOf(having)}`,
            action: 'Register them anew on the new store, by namespace where it is a SQL database, before it is read',
            source: 'ListSearchAttributes; Temporal documentation, Custom Search Attributes',
          },
        ]),
  ];
};
