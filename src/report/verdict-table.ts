import type { CheckVerdict, JudgedWindow } from '../core/measuring/observation.js';
import { cell, inline } from './escape.js';
import { checkCells } from './observation.js';

/** Worst first. */
const ORDER: readonly CheckVerdict[] = ['fail', 'inconclusive', 'pass', 'not-judged'];

/** The window that was judged last as a table in Markdown, a row for each check, those that did not pass first. */
export function verdictTable({ what, endedAt, verdict, checks }: JudgedWindow): string[] {
  const sorted = checks.toSorted((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict));
  return [
    `Observed: ${inline(what)}, up to ${endedAt}: **${verdict}**`,
    '',
    '|  | check | value | bound | baseline | samples |',
    '| --- | --- | --- | --- | --- | --- |',
    ...sorted.map((check) => `| ${checkCells(check).map(cell).join(' | ')} |`),
  ];
}
