import { join } from 'node:path';
import { expandHome } from '../adapters/data-dir.js';
import { MeterFile } from '../adapters/meter/meter-file.js';
import { runMeter } from '../adapters/meter/run-meter.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { MeterRequest, TargetActivities } from '../contract/activities.js';
import { currentWork, reportProgress } from './guard.js';
import { untilOver } from './until-over.js';

/** Longer than any watch, and than a week of hours to compare with. */
const KEPT_MS = 9 * 24 * 3_600_000;

/** The activity that samples a target, beside all others. */
export const createMeterActivities = ({
  tools,
}: {
  readonly tools: ToolResolver;
}): Pick<TargetActivities, 'runMeter'> => ({
  async runMeter({ rollout, ...request }) {
    const { signal } = currentWork();
    using file = new MeterFile(meterFileOf(request), request.target.name);
    const { target, beatMs } = request;
    await untilOver(rollout, signal, (stop) =>
      runMeter({
        target,
        tools,
        beatMs,
        signal: stop,
        onRound: (round) => {
          file.forgetAfter(Date.now() + 2 * beatMs);
          file.append(round);
          file.forgetBefore(round.at - KEPT_MS);
          reportProgress({ sampled: new Date(round.at).toISOString() });
        },
      }),
    );
  },
});

export function meterFileOf({ dataDir, meterId }: Pick<MeterRequest, 'dataDir' | 'meterId'>): string {
  return join(expandHome(dataDir), 'samples', `${meterId}.sqlite`);
}
