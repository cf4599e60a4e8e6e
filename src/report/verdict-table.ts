import type { Check, CheckVerdict, JudgedWindow } from '../core/measuring/observation.js';
import { cell, inline } from './escape.js';
import { checkCells } from './observation.js';

/** Worst first. */
const ORDER: readonly CheckVerdict[] = ['fail', 'inconclusive', 'pass', 'not-judged'];
/**
 * The Web UI puts the details into the address of a frame (holocene/markdown-editor/preview.svelte of temporalio/ui), and a proxy
 * before it may take no more than 8 KB of that.
 */
const MOST_ROWS = 12;

/** The window that was judged last as a table in Markdown: the checks that did not pass, then some of those that did. */
export function verdictTable({ what, endedAt, verdict, checks }: JudgedWindow): string[] {
  const sorted = checks.toSorted((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict));
  return [
    `Observed: ${inline(what)}, up to ${endedAt}: **${verdict}**`,
    '',
    '|  | check | value | bound | baseline | samples |',
    '| --- | --- | --- | --- | --- | --- |',
    ...sorted.slice(0, MOST_ROWS).map((check) => `| ${checkCells(check).map(cell).join(' | ')} |`),
    ...(sorted.length > MOST_ROWS ? ['', restLine(sorted.slice(MOST_ROWS))] : []),
  ];
}

function restLine(rest: readonly Check[]): string {
  const counts = ORDER.flatMap((verdict) => {
    const count = rest.filter((check) => check.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdict}`];
  });
  return `And ${rest.length} more: ${counts.join(', ')}.`;
}
