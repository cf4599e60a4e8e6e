import {
  type Bounds,
  type Check,
  type CheckVerdict,
  NEVER_EXPECTED,
  type Observation,
  type Verdict,
} from './observation.js';

export interface Case {
  readonly observation: Observation;
  /** What it was before anything changed. Without one the error ratio is held against zero: never a pass for want of it. */
  readonly baseline?: Observation | undefined;
  readonly bounds: Bounds;
}

/** Judges an observation: first whether there is enough evidence, then the evidence. */
export function judge(given: Case): Verdict {
  const sufficiency = [enoughSamples(given), ...nodeChecks(given)];
  const enough = sufficiency.every(({ verdict }) => verdict === 'pass');
  const checks = [...sufficiency, restarts(given), ...neverExpected(given, enough), errorRatio(given), ...load(given)];
  const verdict = overall(checks);
  const { requests, errors, samples } = given.observation;
  const open = checks.filter((check) => check.verdict === 'fail' || check.verdict === 'inconclusive');
  const evidence = `${checks.length} checks, ${samples} samples, ${requests} requests, ${errors} unexpected errors`;
  return {
    verdict,
    checks,
    summary: `${verdict}: ${verdict === 'pass' ? evidence : open.map(({ why }) => why).join('; ')}`,
    lines: checks.toSorted((a, b) => ORDER[a.verdict] - ORDER[b.verdict]).map(lineOf),
  };
}

const ORDER: Readonly<Record<CheckVerdict, number>> = { fail: 0, inconclusive: 1, 'not-judged': 2, pass: 3 };

function lineOf({ name, verdict, why }: Check): string {
  return `${verdict}: ${name}: ${why}`;
}

function overall(checks: readonly Check[]): Verdict['verdict'] {
  if (checks.some(({ verdict }) => verdict === 'fail')) return 'fail';
  if (checks.some(({ verdict }) => verdict === 'inconclusive')) return 'inconclusive';
  return 'pass';
}

function enoughSamples({ observation, bounds }: Case): Check {
  const { samples, windowMs, startedAt, endedAt } = observation;
  const bound = minSamplesOf(bounds);
  const lasted = Date.parse(endedAt) - Date.parse(startedAt);
  // A tenth less is the rounding of the sampling; an observation that was cut short has not seen its window.
  const whole = lasted >= windowMs * 0.9;
  return {
    name: 'enough-samples',
    verdict: samples >= bound && whole ? 'pass' : 'inconclusive',
    value: samples,
    bound,
    samples,
    why: whole ? `${samples} samples, at least ${bound} are needed` : `lasted ${lasted} ms of ${windowMs} ms`,
  };
}

function nodeChecks({ observation, bounds }: Case): Check[] {
  const bound = minSamplesOf(bounds);
  if (observation.nodes.length === 0) {
    const why = 'no node was asked';
    return [{ name: 'nodes-up', verdict: 'inconclusive', value: null, bound, samples: 0, why }];
  }
  return observation.nodes.map(({ node, up, of }) => ({
    name: `up ${node}`,
    // Never up is evidence against the node. Up at times may be the measuring: a longer window tells the two apart.
    verdict: of < bound ? 'inconclusive' : up >= of ? 'pass' : up === 0 ? 'fail' : 'inconclusive',
    value: up,
    bound: of,
    samples: of,
    why:
      of < bound
        ? `${node} was asked ${of} times, at least ${bound} are needed`
        : `${node} was up in ${up} of ${of} samples`,
  }));
}

function restarts({ observation }: Case): Check {
  const { restarts: value, samples } = observation;
  return {
    name: 'restarts',
    verdict: value === 0 ? 'pass' : value > 0 ? 'fail' : 'inconclusive',
    value,
    bound: 0,
    samples,
    why: `${value} nodes restarted by themselves`,
  };
}

function neverExpected({ observation, baseline }: Case, enough: boolean): Check[] {
  const names = new Set([...NEVER_EXPECTED, ...Object.keys(observation.unexpected)]);
  return [...names].map((name) => {
    const value = observation.unexpected[name] ?? 0;
    return {
      name,
      // A server shows such a counter from its first rise on, so its absence counts only when the metrics were read.
      verdict: value > 0 ? 'fail' : value === 0 && enough ? 'pass' : 'inconclusive',
      value: value > 0 || enough ? value : null,
      bound: 0,
      baseline: baseline?.unexpected[name],
      samples: observation.samples,
      why:
        value > 0 || enough ? `${name} rose by ${value}, never expected` : `${name}: the metrics of a node are missing`,
    };
  });
}

function errorRatio({ observation, baseline, bounds }: Case): Check {
  const { requests, errors } = observation;
  const before = baseline === undefined ? { ratio: 0 } : ratioOf(baseline);
  const bound = (before.ratio ?? 0) + bounds.maxErrorRatioRise;
  const check = (verdict: CheckVerdict, value: number | null, why: string): Check => ({
    name: 'error-ratio',
    verdict,
    value,
    bound,
    baseline: baseline === undefined ? undefined : (before.ratio ?? undefined),
    samples: requests,
    why,
  });
  if (requests < bounds.minRequests) {
    return check('inconclusive', null, `${requests} requests, at least ${bounds.minRequests} are needed`);
  }
  if (requests === 0 && errors === 0 && bounds.minRequests === 0) {
    return check('not-judged', null, 'error ratio not judged: no requests, and minRequests is 0');
  }
  const { ratio } = ratioOf(observation);
  if (ratio === null) return check('inconclusive', null, 'the error ratio could not be measured');
  if (baseline !== undefined && baseline.requests < bounds.minRequests) {
    const why = `the baseline has ${baseline.requests} requests, at least ${bounds.minRequests} are needed`;
    return check('inconclusive', ratio, why);
  }
  if (baseline !== undefined && before.ratio === null && baseline.requests !== 0) {
    return check('inconclusive', ratio, 'the error ratio of the baseline could not be measured');
  }
  const against = baseline === undefined ? 'no baseline, held against zero' : `baseline ${percent(before.ratio ?? 0)}`;
  return check(
    ratio <= bound ? 'pass' : 'fail',
    ratio,
    `${errors} unexpected errors in ${requests} requests: ${percent(ratio)}, at most ${percent(bound)} (${against})`,
  );
}

/** Taken from the counts; the ratio that came with them says only whether they could be measured. */
function ratioOf({ requests, errors, errorRatio }: Observation): { readonly ratio: number | null } {
  const ratio = errors / requests;
  return { ratio: errorRatio !== null && Number.isFinite(ratio) && ratio >= 0 ? ratio : null };
}

function load({ observation, baseline }: Case): Check[] {
  const counts = observation.load;
  if (counts === undefined) {
    if (baseline?.load === undefined) return [];
    const why = 'the baseline had load, this window has no account of it';
    return [{ name: 'load', verdict: 'inconclusive', value: null, bound: 0, samples: 0, why }];
  }
  const { started } = counts;
  return [
    {
      name: 'enough-load',
      verdict: started > 0 ? 'pass' : 'inconclusive',
      value: started,
      bound: 1,
      samples: started,
      why: `${started} canaries started`,
    },
    ...(['lost', 'duplicated', 'wrong', 'failed', 'failedCalls'] as const).map((name): Check => ({
      name: `load ${name}`,
      verdict: counts[name] === 0 ? 'pass' : counts[name] > 0 ? 'fail' : 'inconclusive',
      value: counts[name],
      bound: 0,
      samples: started,
      why: name === 'failedCalls' ? `${counts[name]} calls of the load failed` : `${counts[name]} canaries ${name}`,
    })),
  ];
}

function minSamplesOf({ minSamples = 2 }: Bounds): number {
  return Math.max(1, minSamples);
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(3)} %`;
}
