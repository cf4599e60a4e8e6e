import { loadCatalogue } from '../adapters/catalogue-file.js';
import { createDriver } from '../adapters/open-target.js';
import { surveyTarget } from '../adapters/survey-target.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import { examine } from '../core/checks/examine.js';
import type { Target } from '../core/input/input.js';
import { planPath } from '../core/planning/path.js';
import { storesOf } from '../core/planning/present-state.js';

/** How long preflights of a target took, in seconds, and how many findings of the last one block the hop. */
export interface TimedPreflights {
  readonly seconds: readonly number[];
  readonly blocking: number;
}

export interface PreflightsToTime {
  readonly from: string;
  readonly to: string;
  readonly tools: ToolResolver;
  readonly repeats: number;
  /** Whether the driver prepares both versions too, as the phase does; for pods that renders the chart. */
  readonly prepares?: true;
  readonly onProgress: (line: string) => void;
}

/** Examines a target for a hop, from the first question to the last finding, again and again. */
export async function timePreflights(
  target: Target,
  { from, to, tools, repeats, prepares, onProgress }: PreflightsToTime,
): Promise<TimedPreflights> {
  const catalogue = await loadCatalogue();
  const stores = storesOf(target);
  const [hop] = planPath({ catalogue, from, to, stores }).hops;
  const seconds: number[] = [];
  let blocking = 0;
  for (let run = 0; run < repeats; run += 1) {
    const began = performance.now();
    if (prepares) for (const version of [to, from]) await createDriver(target, tools).prepare(version);
    const survey = await surveyTarget(target, { catalogue, tools, hop });
    const findings = examine(survey, { catalogue, stores, hop });
    const took = (performance.now() - began) / 1_000;
    blocking = findings.filter(({ severity }) => severity === 'block').length;
    onProgress(`preflight ${run + 1} of ${repeats}: ${took.toFixed(2)} s, ${blocking} blocking findings`);
    seconds.push(took);
  }
  return { seconds, blocking };
}
