import { formatDuration } from '../core/duration.js';
import type { ObservedWindow, SpanEvidence, TargetEvidence } from '../core/evidence.js';
import { whyOf } from '../core/judging/check-texts.js';
import type { ShardHistory } from '../core/settling/shard-history.js';
import type { HopResult, PhaseResult } from '../core/status.js';
import { checkCells } from '../report/observation.js';
import { shardChart, spanChart } from './charts.js';
import { moment, Picture, Table } from './parts.js';

/** A stretch of the roll-out on one target: a hop, one that is under way, or the watch over live. */
export interface Stretch {
  readonly title: string;
  readonly from: string;
  readonly to: string;
  readonly phases: readonly PhaseResult[];
  readonly hop?: HopResult | undefined;
}

/** All there is of one stretch: phases, schema, measurements, verdicts, shards, backups. */
export function StretchSection({
  stretch,
  evidence,
}: {
  readonly stretch: Stretch;
  readonly evidence: TargetEvidence | undefined;
}) {
  const { title, phases, hop } = stretch;
  const span = evidence?.spans.find(({ from }) => from === stretch.from);
  return (
    <section>
      <h2>{title}</h2>
      <p class="soft">
        {moment(stretch.from)} to {moment(stretch.to)}
        {hop === undefined
          ? ''
          : `; ${hop.waitedSeconds === 0 ? '' : `${formatDuration(hop.waitedSeconds * 1_000)} of it for people, `}${hop.incidents} incidents`}
      </p>
      <Table
        columns={[
          { title: 'phase' },
          { title: 'began', kind: 'moment' },
          { title: 'took', kind: 'number' },
          { title: 'result', kind: 'text' },
        ]}
        rows={phases.map((phase) => [
          phase.phase,
          phase.startedAt === undefined ? '' : moment(phase.startedAt),
          formatDuration(phase.seconds * 1_000),
          <PhaseOutcome {...phase} />,
        ])}
      />
      {hop === undefined ? null : <Versions {...hop} />}
      <Measured span={span} phases={phases} />
      {(evidence?.windows ?? []).filter(within(stretch)).map((window) => (
        <Judged {...window} />
      ))}
      {(evidence?.shards ?? []).filter(watchedIn(stretch)).map((history) => (
        <Shards {...history} />
      ))}
      {hop === undefined ? null : <Backups {...hop} />}
    </section>
  );
}

function PhaseOutcome({ summary, overridden, unproved }: PhaseResult) {
  return (
    <>
      {summary}
      {unproved === true ? <strong class="unclear"> not proved</strong> : null}
      {overridden === undefined ? null : (
        <strong class="bad">
          {' '}
          let pass by {overridden.by ?? 'somebody'}: {overridden.reason}
        </strong>
      )}
    </>
  );
}

function Versions({ from, to, servers, schema = {} }: HopResult) {
  const stores = Object.entries(schema).map(([store, { before, after }]) => [`schema of ${store}`, before, after]);
  return (
    <Table
      columns={[{ title: '' }, { title: 'before' }, { title: 'after' }]}
      rows={[['servers', from, servers === to ? to : `${servers} (meant to be ${to})`], ...stores]}
    />
  );
}

function Measured({
  span,
  phases,
}: {
  readonly span: SpanEvidence | undefined;
  readonly phases: readonly PhaseResult[];
}) {
  if (span === undefined) return null;
  const svg = spanChart(span, phases);
  const { clients } = span;
  return (
    <>
      {svg === undefined ? null : (
        <Picture svg={svg} caption={`Latency, rate and gaps, ${span.what}; shaded: phases. Times are UTC.`} />
      )}
      {clients === undefined ? null : (
        <p>
          Probe: {clients.attempts} raw calls, {clients.failedAttempts} failed; {clients.calls} calls with retries,{' '}
          {clients.failedCalls} failed; longest time without a success {clients.longestGapMs} ms.
        </p>
      )}
      <Table
        columns={[
          { title: 'failed at', kind: 'moment' },
          { title: 'call' },
          { title: 'status' },
          { title: 'why', kind: 'text' },
          { title: 'after', kind: 'number' },
        ]}
        rows={(clients?.failures ?? []).map(({ at, kind, way, code, reason, ms }) => [
          moment(new Date(at).toISOString()),
          `${kind}, ${way === 'raw' ? 'without retries' : 'with retries'}`,
          code,
          reason,
          `${ms} ms`,
        ])}
      />
    </>
  );
}

const TONE = { pass: 'good', fail: 'bad', inconclusive: 'unclear' } as const;

/** Open where it did not pass: that is what somebody looks for. */
function Judged({ what, verdict, startedAt, endedAt, checks, summary }: ObservedWindow) {
  return (
    <details open={verdict !== 'pass'}>
      <summary>
        <strong class={TONE[verdict]}>{verdict}</strong> {what}{' '}
        <span class="soft">
          {moment(startedAt)}, {formatDuration(Date.parse(endedAt) - Date.parse(startedAt))}
        </span>
      </summary>
      <p class="soft">{summary}</p>
      <Table
        columns={[
          { title: '' },
          { title: 'check' },
          { title: 'value', kind: 'number' },
          { title: 'bound', kind: 'number' },
          { title: 'baseline', kind: 'number' },
          { title: 'samples', kind: 'number' },
          { title: 'why it matters', kind: 'text' },
        ]}
        rows={checks.map((check) => [
          ...checkCells(check),
          check.about === undefined ? whyOf(check.id) : `${check.about}. ${whyOf(check.id)}`,
        ])}
      />
    </details>
  );
}

function Shards(history: ShardHistory) {
  const moved = history.looks.reduce((sum, look) => sum + look.moved, 0);
  return (
    <Picture svg={shardChart(history)} caption={`Shards by owner while they settled; ${moved} moves were seen.`} />
  );
}

function Backups({ backups }: HopResult) {
  return (
    <Table
      columns={[
        { title: 'backup of' },
        { title: 'file', kind: 'code' },
        { title: 'bytes', kind: 'number' },
        { title: 'sha256', kind: 'code' },
        { title: 'kept', kind: 'text' },
      ]}
      rows={backups.map(({ store, file, bytes, sha256, kept = '' }) => [store, file, bytes, sha256, kept])}
    />
  );
}

function within({ from, to }: Stretch) {
  return ({ endedAt }: ObservedWindow) => endedAt >= from && endedAt <= to;
}

function watchedIn({ from, to }: Stretch) {
  return ({ looks: [first] }: ShardHistory) =>
    first !== undefined && first.at >= Date.parse(from) && first.at <= Date.parse(to);
}
