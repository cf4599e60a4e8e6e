import { isCancellation } from '@temporalio/workflow';
import type { EvidenceRequest, ReportRequest } from '../contract/activities.js';
import type { ReportData, Span, TargetEvidence } from '../core/evidence.js';
import type { Conductor } from './conductor.js';
import { now } from './moments.js';
import { describeFailure } from './describe-failure.js';
import type { Environment } from '../core/plan.js';
import { control, near } from './proxies.js';

/** The hops of a target, the one that is under way too, and the watch over live: of each the report draws what was measured. */
export function spansOf(conductor: Conductor, environment: Environment): Span[] {
  const { hops, steps, enteredAt } = conductor;
  const { current } = conductor.status('');
  const done = hops
    .filter((hop) => hop.environment === environment)
    .map(({ from, to, startedAt, endedAt }) => ({ what: `${from} → ${to}`, from: startedAt, to: endedAt }));
  const isUnderWay = current?.environment === environment && current.to !== undefined && enteredAt > lastEnd(done);
  const present = isUnderWay ? [{ what: `${current.from} → ${current.to}`, from: enteredAt, to: now() }] : [];
  if (environment !== 'live') return [...done, ...present];
  const watched = steps.flatMap(({ phase, startedAt, seconds }) =>
    phase !== 'watch' || startedAt === undefined
      ? []
      : [{ from: startedAt, to: new Date(Date.parse(startedAt) + seconds * 1_000).toISOString() }],
  );
  const watching = current?.phase === 'watch' ? [{ from: current.since, to: now() }] : [];
  return [...done, ...present, ...[...watched, ...watching].map((span) => ({ what: 'watch', ...span }))];
}

function lastEnd(spans: readonly Span[]): string {
  return spans.at(-1)?.to ?? '';
}

/** Gathers what was written down near both targets. What cannot be had is told in the report, and keeps nobody waiting. */
export async function makeReport({ dataDir, rollout, sources }: ReportRequest): Promise<ReportData> {
  const { rolloutId, startedAt, hops } = rollout;
  const [evidence, earlier] = await Promise.all([
    Promise.all(sources.map(gather)),
    control.findEarlier.executeWithOptions({ summary: 'earlier roll-outs' }, [
      { dataDir, rollout: { rolloutId, startedAt, hops } },
    ]),
  ]);
  const report = { rollout, evidence, earlier };
  if (JSON.stringify(report).length <= MOST_CHARACTERS) return report;
  return { ...report, evidence: evidence.map((one) => ({ ...one, ...NOTHING, notes: [TOO_MUCH] })) };
}

/** A message of more than 2 MB ends the workflow that sends it (BlobSizeLimitError of the server): a report is not worth that. */
const MOST_CHARACTERS = 1_500_000;
const TOO_MUCH = 'all evidence: with it the report is too much for one message; it is in the files of dataDir';
const NOTHING = { commands: [], windows: [], spans: [], shards: [] } as const;

async function gather(source: EvidenceRequest): Promise<TargetEvidence> {
  const { environment, target } = source;
  try {
    return await near(target).gather.gatherEvidence.executeWithOptions({ summary: `evidence of ${target.name}` }, [
      source,
    ]);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { environment, target: target.name, ...NOTHING, notes: [`no evidence: ${describeFailure(error)}`] };
  }
}
