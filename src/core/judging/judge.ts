import type { Check, CheckVerdict, Observation, Verdict } from '../measuring/observation.js';
import { checkLine } from './check-line.js';
import type { Case } from './check.js';
import { databaseChecks } from './databases.js';
import { loadChecks } from './load.js';
import { processChecks } from './processes.js';
import { requestChecks } from './requests.js';
import { withoutUnavoidableGaps } from './single-processes.js';
import { baselineEvidence, sufficiency } from './sufficiency.js';

/** Judges an observation: first whether there is enough evidence, then the evidence. One fail is a fail. */
export function judge(given: Case): Verdict {
  const checks = withoutUnavoidableGaps(given, [
    ...sufficiency(given),
    ...baselineEvidence(given),
    ...processChecks(given),
    ...requestChecks(given),
    ...databaseChecks(given),
    ...loadChecks(given),
  ]).toSorted((a, b) => ORDER[a.verdict] - ORDER[b.verdict]);
  const verdict = overall(checks);
  return {
    verdict,
    checks,
    summary: summarize(given, verdict, checks),
    lines: checks.map((one) => checkLine(one, given.observation)),
  };
}

const ORDER: Readonly<Record<CheckVerdict, number>> = { fail: 0, inconclusive: 1, 'not-judged': 2, pass: 3 };

function overall(checks: readonly Check[]): Verdict['verdict'] {
  if (checks.some(({ verdict }) => verdict === 'fail')) return 'fail';
  if (checks.some(({ verdict }) => verdict === 'inconclusive')) return 'inconclusive';
  return 'pass';
}

function summarize({ observation, baseline }: Case, verdict: Verdict['verdict'], checks: readonly Check[]): string {
  const against = baseline === undefined ? ', held against absolute bounds alone' : '';
  if (verdict === 'pass') return `pass: ${evidenceOf(observation, checks)}${against}`;
  const open = checks.filter((one) => one.verdict === 'fail' || one.verdict === 'inconclusive');
  return `${verdict}: ${open.map((one) => checkLine(one, observation, 'short')).join('; ')}`;
}

function evidenceOf({ beats, totals }: Observation, checks: readonly Check[]): string {
  const { requests = 0, errors = 0 } = totals;
  return `${checks.length} checks, ${beats.seen} samples, ${requests} requests, ${errors} unexpected errors`;
}
