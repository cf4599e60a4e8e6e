import { formatDuration } from '../core/duration.js';
import type { RolloutResult } from '../core/rollout-result.js';
import { overrideLines, workSeconds } from '../core/status.js';
import { wrap, wrapIfLong } from './columns.js';
import { oneLine, shellWord } from './escape.js';
import { unpainted, type Paint } from './paint.js';

/** How a roll-out ended, for a terminal of 80 columns; the report has all of it. */
export function resultText(result: RolloutResult, paint: Paint = unpainted): string {
  const { rolloutId, status, startedAt, endedAt, staging, live, hops, steps, decisions, reason, reportDir } = result;
  const took = formatDuration(Date.parse(endedAt) - Date.parse(startedAt));
  const incidents = hops.reduce((sum, hop) => sum + hop.incidents, 0);
  const told = (name: string, text: string) => wrap(oneLine(text), name.padEnd(10), ' '.repeat(10));
  const refused = decisions.filter(({ counted }) => !counted).length;
  const overridden = overrideLines([...hops.flatMap(({ phases }) => phases), ...steps]);
  return [
    ...wrapIfLong(`${oneLine(rolloutId)}  ${status}  in ${took}, at ${endedAt}`).map((line) =>
      paint(status === 'completed' ? 'good' : 'incident', line),
    ),
    '',
    ...(reason === undefined ? [] : told('reason', reason)),
    ...told('staging', `${staging.name}: ${staging.from} -> ${staging.to}`),
    ...told('live', `${live.name}: ${live.from} -> ${live.to}`),
    ...hops.flatMap(({ environment, from, to, outcome, phases, waitedSeconds }) =>
      told(
        'hop',
        `${environment} ${from} -> ${to}: ${outcome}, ${formatDuration(workSeconds(phases) * 1_000)} of work, ${formatDuration(waitedSeconds * 1_000)} for people`,
      ),
    ),
    ...told(
      'people',
      `${decisions.length} decisions${refused === 0 ? '' : `, ${refused} of them not counted`}; ${incidents} incidents`,
    ),
    ...overridden.flatMap((line) => told('!', line)),
    '',
    ...(reportDir === undefined ? [] : told('report', reportDir)),
    ...told('', `temporal-upgrade report ${shellWord(rolloutId)} --html report.html`),
  ].join('\n');
}
