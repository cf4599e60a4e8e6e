import { formatDuration } from '../core/duration.js';
import type { Policy } from '../core/input/input.js';
import type { Windows } from '../core/input/windows.js';
import { ENVIRONMENTS } from '../core/plan.js';
import { needsText } from './gate-needs.js';

/** Where a person decides, and who may, a line for each target. */
export function gateLines({ gates, approval }: Pick<Policy, 'gates' | 'approval'>): string[] {
  return ENVIRONMENTS.map((environment) => {
    const rules = approval[environment];
    const names: readonly string[] = gates[environment];
    const where = names.length === 0 ? 'incidents alone' : `${names.join(', ')}, and incidents`;
    const more = [
      ...(rules.windows === undefined ? [] : [`schema and servers ${windowText(rules.windows)}`]),
      ...(rules.automatic ? ['passed by itself when all before it passed'] : []),
      ...(rules.expires === undefined ? [] : [`an incident after ${formatDuration(rules.expires)}`]),
    ];
    const who = needsText({ ...rules, given: [] });
    return `${environment} gates: ${where}: ${[who, ...more].join('; ')}`;
  });
}

function windowText({ timeZone, open, closed }: Windows): string {
  const times = open.map(({ days, from, to }) => `${days === undefined ? 'daily' : days.join(' ')} ${from} to ${to}`);
  const not = closed.map(({ from, to }) => (from === to ? from : `${from} to ${to}`));
  return `${times.join(', ')} ${timeZone}${not.length === 0 ? '' : `, not ${not.join(', ')}`}`;
}
