import { type Finding, worstFirst } from '../core/finding.js';
import { wrap } from './columns.js';
import { findingLines } from './plan.js';

/** Findings for people, at most 80 columns wide, worst first; a line that says so when there is nothing to tell. */
export function findingsText(title: string, findings: readonly Finding[], explain: boolean): string {
  const told = worstFirst(findings);
  const count = (severity: Finding['severity']) => told.filter((finding) => finding.severity === severity).length;
  const summary = `${count('block')} blocking, ${count('warn')} to look at, ${count('note')} notes`;
  return [
    ...wrap(`${title}: ${told.length === 0 ? 'nothing to remark' : summary}`, '', '  '),
    ...told.flatMap((finding) => findingLines(finding, explain)),
  ].join('\n');
}
