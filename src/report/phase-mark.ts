import type { PhaseResult } from '../core/status.js';
import { cell } from './escape.js';

/** What has to be seen beside the result of a phase, for a cell of a table: that a person let it pass, or that it proves nothing. */
export function phaseMark({ overridden, unproved }: Pick<PhaseResult, 'overridden' | 'unproved'>): string {
  if (unproved === true) return ' **not proved**';
  if (overridden === undefined) return '';
  return ` **overridden by ${cell(overridden.by ?? 'somebody')}: ${cell(overridden.reason)}**`;
}
