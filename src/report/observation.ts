import { formatDuration } from '../core/duration.js';
import { formatValue } from '../core/judging/check-line.js';
import { whyOf } from '../core/judging/check-texts.js';
import type { Check, CheckVerdict, Observation, Verdict } from '../core/measuring/observation.js';
import { columns, wrap } from './columns.js';
import { oneLine } from './escape.js';

const MARKS: Readonly<Record<CheckVerdict, string>> = { fail: '✗', inconclusive: '?', pass: '✓', 'not-judged': '·' };

interface Judged {
  readonly target: string;
  readonly observation: Observation;
  readonly verdict: Verdict;
  /** Whether there was a baseline to compare with. */
  readonly compared: boolean;
}

/** An observation with its judgement for people, at most 80 columns wide: a table, then a line for each check that did not pass. */
export function observationText({ target, observation, verdict, compared }: Judged): string {
  const { beats, beatMs, startedAt, endedAt } = observation;
  const length = formatDuration(Date.parse(endedAt) - Date.parse(startedAt));
  const title = `${target}: ${verdict.verdict}. ${length} up to ${endedAt}, ${beats.seen} of ${beats.due} samples, one each ${formatDuration(beatMs)}`;
  const against = compared
    ? []
    : wrap('No baseline: absolute bounds alone hold, and what needs a comparison is not judged.', '', '  ');
  return [
    ...wrap(title, '', '  '),
    ...against,
    '',
    ...columns([['', 'check', 'value', 'bound', 'baseline', 'samples'], ...verdict.checks.map(checkCells)]),
    ...verdict.checks.flatMap(explanation),
    '',
    '✓ pass  ✗ fail  ? inconclusive  · shown, not judged',
  ].join('\n');
}

/** Mark, name, value, bound, baseline and samples of a check. */
export function checkCells({ verdict, id, value, unit, bound, least, baseline, samples }: Check): string[] {
  const number = (one: number | null) => (one === null ? '-' : formatValue(one, unit));
  const limit = bound === null ? '-' : `${least === true ? '≥' : '≤'} ${number(bound)}`;
  return [MARKS[verdict], id, number(value), limit, number(baseline), String(samples)];
}

function explanation({ verdict, id, about }: Check): string[] {
  if (verdict === 'pass' || verdict === 'not-judged') return [];
  const told = about === undefined ? '' : `${oneLine(about)}. `;
  return ['', ...wrap(`${MARKS[verdict]} ${id}: ${told}Why it matters: ${whyOf(id)}.`, '', '  ')];
}

/** The same for programs. */
export function observationJson({ target, observation, verdict, compared }: Judged) {
  const checks = verdict.checks.map((one) => ({ ...one, why: whyOf(one.id) }));
  return { target, verdict: verdict.verdict, summary: verdict.summary, compared, checks, observation };
}
