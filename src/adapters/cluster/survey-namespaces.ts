import type { NamespacesSurvey, NamespaceSurvey, RunningWorkflows } from '../../core/survey/namespace-survey.js';
import type { Seen } from '../../core/survey/seen.js';
import { LOCK_NAMESPACE } from './cluster-lock.js';
import { look, mapAtMost } from './look.js';
import { readAttributeTypes } from './search-attributes.js';
import { readSdks } from './survey-sdks.js';
import { readTaskQueues } from './survey-task-queues.js';
import { countRunning, listNamespaces, listRunningPage, type NamespaceFacts } from './target-cluster.js';
import type { TargetConnection } from './target-connection.js';

/** Most namespaces that are looked at, and workflows that are listed of each: more would take minutes, and say no more. */
const NAMESPACES = 50;
const WORKFLOWS = 500;
const AT_ONCE = 8;

/** Namespaces with what is set, what runs and what works on them; without the server's own. @throws what listing them throws */
export async function surveyNamespaces(target: TargetConnection): Promise<NamespacesSurvey> {
  const all = (await listNamespaces(target)).filter(({ name }) => name !== LOCK_NAMESPACE);
  return {
    count: all.length,
    looked: await mapAtMost(AT_ONCE, all.slice(0, NAMESPACES), (facts) => surveyNamespace(target, facts)),
  };
}

async function surveyNamespace(target: TargetConnection, facts: NamespaceFacts): Promise<NamespaceSurvey> {
  const { name } = facts;
  const [customSearchAttributes, runs, count] = await Promise.all([
    look(() => readAttributeTypes(target, name)),
    look(() => listRunningPage(target, name, WORKFLOWS)),
    look(() => countRunning(target, name)),
  ]);
  const listed = 'seen' in runs ? runs.seen : [];
  const [taskQueues, sdks] = await Promise.all([
    'seen' in runs ? look(() => readTaskQueues(target, name, listed)) : runs,
    look(() => readSdks(target, name, listed)),
  ]);
  return { ...facts, customSearchAttributes, running: runningOf(runs, count), taskQueues, sdks };
}

function runningOf(runs: Seen<readonly { readonly type: string }[]>, count: Seen<number>): Seen<RunningWorkflows> {
  if ('unseen' in runs) return runs;
  if ('unseen' in count) return count;
  const byType: Record<string, number> = {};
  for (const { type } of runs.seen) byType[type] = (byType[type] ?? 0) + 1;
  const listed = runs.seen.length;
  return { seen: { count: Math.max(count.seen, listed), listed, byType } };
}
