import { type Finding, type Severity, worstSeverity } from './finding.js';
import { type KnownCause, TROUBLES, type Trouble } from './troubles.js';

/** One trouble that people have after an upgrade, held against what was found. */
export interface Diagnosis {
  readonly trouble: Trouble;
  /** What people see. */
  readonly symptom: string;
  /** Most likely first. Empty when nothing was found that would cause it, which is no proof that it is not there. */
  readonly causes: readonly LikelyCause[];
  /** What could not be looked at, and may hide a cause. */
  readonly unseen: readonly string[];
}

export interface LikelyCause {
  readonly cause: string;
  /** The worst finding that speaks for it. */
  readonly severity: Severity;
  readonly evidence: readonly string[];
  /** What to do, in order. */
  readonly actions: readonly string[];
}

/** What findings say about each of the known troubles, all of them, in the order in which an upgrade meets them. */
export function diagnose(findings: readonly Finding[]): Diagnosis[] {
  return TROUBLES.map(({ trouble, symptom, causes, hiddenBy }) => ({
    trouble,
    symptom,
    causes: causes.flatMap((known) => likelyCause(known, findings)),
    unseen: findings.filter(({ id }) => hiddenBy.includes(id)).map(({ found }) => found),
  }));
}

function likelyCause({ cause, ids, about }: KnownCause, findings: readonly Finding[]): LikelyCause[] {
  const evidence = findings.filter(
    ({ id, found }) => ids.some((pattern) => matches(pattern, id)) && (about === undefined || about.test(found)),
  );
  const severity = worstSeverity(evidence);
  if (severity === undefined) return [];
  const actions = evidence.flatMap(({ action }) => action ?? []);
  return [{ cause, severity, evidence: evidence.map(({ found }) => found), actions: [...new Set(actions)] }];
}

/** `*` at the end stands for anything. */
function matches(pattern: string, id: string): boolean {
  return pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern;
}

/** A diagnosis in one sentence: its likeliest cause, or that none was found and what was not looked at. */
export function diagnosisText({ symptom, causes, unseen }: Diagnosis): string {
  const [first, ...others] = causes;
  if (first !== undefined) {
    const more = others.length === 0 ? '' : `; or: ${others.map(({ cause }) => cause).join('; ')}`;
    return `${symptom}: ${first.cause} (${first.evidence.join('; ')})${more}`;
  }
  const blind = unseen.length === 0 ? '' : `, but not everything was seen: ${unseen.join('; ')}`;
  return `${symptom}: nothing was found that would cause it${blind}`;
}
