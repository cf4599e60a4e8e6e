/** What stands in the way, or is worth knowing. Plan, preflight and doctor all speak in findings. */
export type Finding = Problem | Note;

interface Statement {
  /** Stable id in kebab-case, such as `patch-retracted`. */
  readonly id: string;
  /** What was found: a sentence without its full stop, that names what it is about. */
  readonly found: string;
  /** Where the rule or the measurement comes from. */
  readonly source: string;
}

/** `block` stops before anything is changed; `warn` is shown to whoever decides. */
export interface Problem extends Statement {
  readonly severity: 'block' | 'warn';
  /** What would have been right. */
  readonly expected: string;
  /** What to do about it: a sentence without its full stop. */
  readonly action: string;
}

/** Worth knowing; nothing has to be done. */
export interface Note extends Statement {
  readonly severity: 'note';
  readonly expected?: string;
  readonly action?: string;
}

export type Severity = Finding['severity'];

const RANK: Readonly<Record<Severity, number>> = { block: 0, warn: 1, note: 2 };

/** The same findings, worst first, otherwise in their order. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
}

/** The worst severity among findings; undefined when there is none. */
export function worstSeverity(findings: readonly Finding[]): Severity | undefined {
  return worstFirst(findings)[0]?.severity;
}

/** One sentence after the other: what was found, what was expected, what to do. Without the source. */
export function findingText({ found, expected, action }: Finding): string {
  const first = expected === undefined ? found : `${found}; expected ${expected}`;
  return action === undefined ? first : `${first}. ${action}`;
}
