import type { Bounds } from '../input/bounds.js';
import type { Check, CheckVerdict, Expected, Observation, Unit } from '../measuring/observation.js';
import type { CheckId } from './check-texts.js';

/** A window with all that it is judged by. */
export interface Case {
  readonly observation: Observation;
  /** What it was before anything changed. Without one only absolute bounds hold, and what needs one is not judged. */
  readonly baseline?: Observation | undefined;
  readonly bounds: Bounds;
  readonly expected?: Expected | undefined;
}

interface Facts {
  readonly verdict?: CheckVerdict;
  readonly value: number | null | undefined;
  readonly bound?: number | null;
  readonly unit?: Unit;
  readonly baseline?: number | null | undefined;
  readonly samples: number;
  readonly about?: string | undefined;
  readonly least?: true;
  /** A store or the like, where there is one check for each. */
  readonly of?: string;
}

/** A check; its verdict is that of value and bound where it is not given. What is no number is never a pass. */
export function check(id: CheckId, facts: Facts): Check {
  const { value = null, bound = null, unit = 'count', baseline = null, samples, about, least, of } = facts;
  const known = value !== null && Number.isFinite(value) ? value : null;
  return {
    id: of === undefined ? id : `${id}/${of}`,
    verdict: facts.verdict ?? compare(known, bound, least),
    value: known,
    unit,
    bound,
    ...(least === undefined ? {} : { least }),
    baseline: Number.isFinite(baseline) ? baseline : null,
    samples,
    ...(about === undefined ? {} : { about }),
  };
}

/** Whether a number is above its bound, or not, whatever it was at beats that were not seen. */
export function isSure(value: number, upTo: number | null | undefined, bound: number): boolean {
  return value > bound || (upTo !== null && (upTo ?? value) <= bound);
}

function compare(value: number | null, bound: number | null, least: true | undefined): CheckVerdict {
  if (bound === null) return 'not-judged';
  if (value === null || value < 0) return 'inconclusive';
  if (least === true) return value >= bound ? 'pass' : 'inconclusive';
  return value <= bound ? 'pass' : 'fail';
}
