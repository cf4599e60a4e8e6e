import type { ComponentChildren } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { decidedBy } from '../core/decision.js';
import { formatDuration } from '../core/duration.js';
import { lossesOf, type CommandRecord, type EarlierHop, type ReportData } from '../core/evidence.js';
import { findingText } from '../core/finding.js';
import type { RolloutSoFar } from '../core/rollout-result.js';
import { overrideLines, workSeconds } from '../core/status.js';
import { sureness } from '../report/report-markdown.js';
import { StretchSection, type Stretch } from './hop-section.js';
import { moment, Table } from './parts.js';
import { STYLE } from './style.js';

/** Nothing is ever fetched, whatever a server or a person has written into a name. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** The report as one file of HTML: no script, no picture or font from elsewhere. */
export function reportPage(data: ReportData): string {
  return `<!doctype html>\n${renderToString(<Page {...data} />)}\n`;
}

function Page(data: ReportData) {
  const { rollout, evidence, earlier } = data;
  const title = `${rollout.live.name} to ${rollout.live.to}: ${rollout.status}`;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={POLICY} />
        <meta name="viewport" content="width=device-width" />
        <title>{title}</title>
        <style dangerouslySetInnerHTML={{ __html: STYLE }} />
      </head>
      <body>
        <Head {...rollout} />
        <Figures {...data} />
        <Exceptions {...data} />
        <Rules {...rollout} />
        <Path {...rollout} />
        {stretchesOf(data).map(({ environment, ...stretch }) => (
          <StretchSection stretch={stretch} evidence={evidence.find((one) => one.environment === environment)} />
        ))}
        <Ledgers {...rollout} />
        <Decisions {...rollout} />
        <Incidents {...rollout} />
        <Findings {...rollout} />
        {evidence.map(({ target, commands }) => (
          <Commands target={target} commands={commands} />
        ))}
        <Earlier earlier={earlier} rollout={rollout} />
      </body>
    </html>
  );
}

function Head({ rolloutId, status, startedAt, endedAt, reason, staging, live }: RolloutSoFar) {
  const took = formatDuration(Date.parse(endedAt) - Date.parse(startedAt));
  const isOver = status === 'completed' || status === 'aborted';
  return (
    <header>
      <h1>
        {live.name}: {live.from} → {live.to},{' '}
        <span class={status === 'completed' ? 'good' : status === 'running' ? '' : 'bad'}>{status}</span>
      </h1>
      <p class="soft">
        {rolloutId}, from {moment(startedAt)} {isOver ? 'to' : 'until'} {moment(endedAt)}: {took}. Rehearsed on{' '}
        {staging.name}. All times are UTC.
      </p>
      {reason === undefined ? null : <p>Reason: {reason}</p>}
    </header>
  );
}

function Figures(data: ReportData) {
  const { rollout } = data;
  const losses = lossesOf(data);
  const all = (key: 'lost' | 'canaries' | 'failedCalls') => losses.reduce((sum, one) => sum + one[key], 0);
  const people = rollout.decisions.filter(({ counted, via }) => counted && via !== 'policy').length;
  const waited = rollout.hops.reduce((sum, { waitedSeconds }) => sum + waitedSeconds, 0);
  return (
    <>
      <div class="figures">
        {losses.length === 0 ? null : (
          <>
            <Figure value={all('lost')} of={`workflows lost, of ${all('canaries')} canaries`} isBad={all('lost') > 0} />
            <Figure value={all('failedCalls')} of="client calls failed" isBad={all('failedCalls') > 0} />
          </>
        )}
        <Figure value={rollout.incidents.length} of="incidents" isBad={rollout.incidents.length > 0} />
        <Figure value={people} of={`decisions by people, who took ${formatDuration(waited * 1_000)}`} />
      </div>
      <Table
        columns={[
          { title: 'seen by clients on' },
          { title: 'canaries', kind: 'number' },
          { title: 'lost', kind: 'number' },
          { title: 'failed calls', kind: 'number' },
          { title: 'single attempts', kind: 'number' },
          { title: 'failed', kind: 'number' },
          { title: 'longest time without a success', kind: 'number' },
        ]}
        rows={losses.map(({ environment, canaries, lost, failedCalls, attempts, failedAttempts, longestGapMs }) => [
          environment,
          canaries,
          lost,
          failedCalls,
          attempts,
          failedAttempts,
          longestGapMs === null ? '' : `${longestGapMs} ms`,
        ])}
      />
    </>
  );
}

function Figure({
  value,
  of,
  isBad = false,
}: {
  readonly value: ComponentChildren;
  readonly of: string;
  readonly isBad?: boolean;
}) {
  return (
    <div class="figure">
      <strong class={isBad ? 'bad' : ''}>{value}</strong>
      <span class="soft">{of}</span>
    </div>
  );
}

/** What was not done as it should be, and what this report does not know. */
function Exceptions({ rollout, evidence }: ReportData) {
  const { hops, steps, settle } = rollout;
  const lines = [
    ...(settle.reason === undefined
      ? []
      : [`settle shortened to ${formatDuration(settle.atLeastMs)}: ${settle.reason}`]),
    ...overrideLines([...hops.flatMap(({ phases }) => phases), ...steps]),
    ...evidence.flatMap(({ target, notes }) => notes.map((note) => `not in this report, ${target}: ${note}`)),
  ];
  if (lines.length === 0) return null;
  return (
    <>
      <h2>Shortened, let pass, or not known</h2>
      <ul>
        {lines.map((line) => (
          <li>{line}</li>
        ))}
      </ul>
    </>
  );
}

/** Every rule that was not the default one: who reads a report does not know the input. */
function Rules({ policy }: RolloutSoFar) {
  if (policy === undefined) return null;
  return (
    <>
      <h2>Rules that differ from the defaults</h2>
      {policy.length === 0 ? <p>None: every rule was the default one.</p> : null}
      <Table
        columns={[
          { title: 'rule', kind: 'code' },
          { title: 'here', kind: 'text' },
          { title: 'by default', kind: 'text' },
          { title: 'why', kind: 'text' },
        ]}
        rows={policy.map(({ field, value, byDefault, reason = '' }) => [field, value, byDefault, reason])}
      />
    </>
  );
}

function Path({ staging, live, steps, removedBackups = [] }: RolloutSoFar) {
  return (
    <>
      <h2>Targets</h2>
      <Table
        columns={[
          { title: '' },
          { title: 'cluster' },
          { title: 'from' },
          { title: 'planned path', kind: 'text' },
          { title: 'now' },
        ]}
        rows={Object.entries({ staging, live }).map(([environment, { name, from, path = [], to }]) => [
          environment,
          name,
          from,
          path.join(' → '),
          to,
        ])}
      />
      <Table
        columns={[
          { title: 'between the hops' },
          { title: 'began', kind: 'moment' },
          { title: 'took', kind: 'number' },
          { title: 'result', kind: 'text' },
        ]}
        rows={steps.map(({ phase, startedAt, seconds, summary }) => [
          phase,
          startedAt === undefined ? '' : moment(startedAt),
          formatDuration(seconds * 1_000),
          summary,
        ])}
      />
      {removedBackups.length === 0 ? null : (
        <p>Backups that are kept no longer were removed: {removedBackups.join(', ')}.</p>
      )}
    </>
  );
}

/** The hops in their order; those under way, and the watch, as far as there is evidence of them. */
function stretchesOf({ rollout, evidence }: ReportData): (Stretch & { readonly environment: string })[] {
  const hops = rollout.hops.map((hop) => ({
    environment: hop.environment,
    title: `${placeOf(hop.environment, hop.target)}: ${hop.from} → ${hop.to}, ${hop.outcome}`,
    from: hop.startedAt,
    to: hop.endedAt,
    phases: hop.phases,
    hop,
  }));
  const others = evidence.flatMap(({ environment, target, spans }) =>
    spans
      .filter(({ from }) => hops.every((hop) => hop.environment !== environment || hop.from !== from))
      .map(({ what, from, to }) => ({
        environment,
        title: `${placeOf(environment, target)}: ${what}`,
        from,
        to,
        phases: what === 'watch' ? rollout.steps.filter(({ phase }) => phase === 'watch') : (rollout.phases ?? []),
      })),
  );
  return [...hops, ...others];
}

function placeOf(environment: string, target: string): string {
  return environment === target ? target : `${environment} ${target}`;
}

function Ledgers({ ledgers }: RolloutSoFar) {
  const columns = ['started', 'completed', 'running', 'lost', 'duplicated', 'wrong', 'failed', 'failedCalls'] as const;
  const rows = Object.entries(ledgers).map(([environment, ledger]) => [
    environment,
    ...columns.map((column) => ledger[column]),
  ]);
  if (rows.length === 0) return null;
  const examples = Object.values(ledgers).flatMap(({ examples: some }) => some);
  return (
    <>
      <h2>Canaries, each accounted for</h2>
      <Table
        columns={[
          { title: 'load on' },
          ...columns.map((column) => ({
            title: column === 'failedCalls' ? 'failed calls' : column,
            kind: 'number' as const,
          })),
        ]}
        rows={rows}
      />
      <Table
        columns={[
          { title: 'workflow', kind: 'code' },
          { title: 'what is wrong with it', kind: 'text' },
        ]}
        rows={examples.map(({ workflowId, reason }) => [workflowId, reason])}
      />
    </>
  );
}

function Decisions({ decisions }: RolloutSoFar) {
  if (decisions.length === 0) return null;
  return (
    <>
      <h2>Decisions</h2>
      <Table
        columns={[
          { title: 'when', kind: 'moment' },
          { title: 'what' },
          { title: 'gate', kind: 'code' },
          { title: 'by' },
          { title: 'how sure' },
          { title: 'reason', kind: 'text' },
          { title: 'counted', kind: 'text' },
        ]}
        rows={decisions.map((decision) => [
          moment(decision.at),
          decision.kind,
          decision.gate ?? '',
          decidedBy(decision),
          sureness(decision),
          decision.reason ?? '',
          decision.counted ? 'yes' : `no: ${decision.refused ?? ''}`,
        ])}
      />
      {decisions
        .filter(({ evidence }) => evidence !== undefined && evidence.length > 0)
        .map(({ at, kind, gate, evidence = [] }) => (
          <details>
            <summary>
              what was shown: {kind} {gate} <span class="soft">{moment(at)}</span>
            </summary>
            <ul>
              {evidence.map((line) => (
                <li>{line}</li>
              ))}
            </ul>
          </details>
        ))}
    </>
  );
}

function Incidents({ incidents }: RolloutSoFar) {
  if (incidents.length === 0) return null;
  return (
    <>
      <h2>Incidents</h2>
      <Table
        columns={[
          { title: 'opened', kind: 'moment' },
          { title: 'gate', kind: 'code' },
          { title: 'what was wrong', kind: 'text' },
          { title: 'decided', kind: 'text' },
        ]}
        rows={incidents.map(({ openedAt, name, problem, decision, by, endedAt }) => [
          moment(openedAt),
          name,
          problem,
          decision === undefined ? 'open' : `${decision} by ${by ?? 'somebody'}, ${moment(endedAt ?? '')}`,
        ])}
      />
    </>
  );
}

function Findings({ findings }: RolloutSoFar) {
  if (findings.length === 0) return null;
  return (
    <>
      <h2>Findings</h2>
      <Table
        columns={[{ title: '' }, { title: 'what', kind: 'text' }, { title: 'source', kind: 'text' }]}
        rows={findings.map((finding) => [finding.severity, findingText(finding), finding.source])}
      />
    </>
  );
}

function Commands({ target, commands }: { readonly target: string; readonly commands: readonly CommandRecord[] }) {
  if (commands.length === 0) return null;
  return (
    <>
      <h2>Commands run for {target}</h2>
      <p class="soft">Without what they got by their environment or their input.</p>
      <Table
        columns={[
          { title: 'when', kind: 'moment' },
          { title: 'step' },
          { title: 'command', kind: 'code' },
          { title: 'times', kind: 'number' },
          { title: 'took', kind: 'number' },
          { title: 'ended', kind: 'text' },
        ]}
        rows={commands.map(({ at, activity, line, times, ms, failed, unfinished }) => [
          moment(at),
          activity,
          line,
          times,
          formatDuration(ms),
          unfinished === true ? 'not known: its worker ended' : failed === undefined ? 'well' : `failed: ${failed}`,
        ])}
      />
    </>
  );
}

/** Every hop of this roll-out beside the same one of earlier ones. */
function Earlier({ earlier, rollout }: Pick<ReportData, 'earlier' | 'rollout'>) {
  if (earlier.length === 0) return null;
  const own = rollout.hops.map((hop): EarlierHop => ({
    ...hop,
    rolloutId: 'this one',
    seconds: workSeconds(hop.phases),
  }));
  const all = [...own, ...earlier].toSorted(
    (a, b) => a.to.localeCompare(b.to, 'en', { numeric: true }) || b.startedAt.localeCompare(a.startedAt),
  );
  const secondsOf = ({ phases }: EarlierHop, wanted: string) =>
    workSeconds(phases.filter(({ phase }) => phase === wanted));
  const phases = ['backup', 'schema', 'servers', 'settle'] as const;
  return (
    <>
      <h2>The same hops in earlier roll-outs</h2>
      <Table
        columns={[
          { title: 'hop' },
          { title: 'began', kind: 'moment' },
          { title: 'roll-out' },
          { title: 'cluster' },
          { title: 'outcome' },
          { title: 'all work', kind: 'number' },
          ...phases.map((title) => ({ title, kind: 'number' as const })),
          { title: 'incidents', kind: 'number' },
        ]}
        rows={all.map((hop) => [
          `${hop.from} → ${hop.to}`,
          moment(hop.startedAt),
          hop.rolloutId,
          hop.target,
          hop.outcome,
          formatDuration(hop.seconds * 1_000),
          ...phases.map((phase) => formatDuration(secondsOf(hop, phase) * 1_000)),
          hop.incidents,
        ])}
      />
    </>
  );
}
