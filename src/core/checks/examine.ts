import { type Finding, worstFirst } from '../finding.js';
import type { CheckContext, Survey } from '../survey/survey.js';
import { clusterChecks } from './cluster-checks.js';
import { storeChecks } from './store-checks.js';

/** All findings of a survey, worst first. */
export function examine(survey: Survey, context: CheckContext): Finding[] {
  return worstFirst([...clusterChecks, ...storeChecks].flatMap((check) => check(survey, context)));
}
