import { formatDuration } from '../core/duration.js';
import type { DecisionKind, Gate } from '../core/decision.js';
import { ENVIRONMENTS } from '../core/plan.js';
import { shownKind, shownPayload } from '../core/shown-payload.js';
import { workSeconds, type HopResult, type RolloutStatus, type Waiting } from '../core/status.js';
import { cell, inline, shellWord } from './escape.js';
import { needsText } from './gate-needs.js';
import { phaseMark } from './phase-mark.js';
import { shardTable } from './shard-picture.js';
import { verdictTable } from './verdict-table.js';

/** The roll-out as Markdown, for the Web UI's current details: everything that a person needs to decide. */
export function statusMarkdown(status: RolloutStatus): string {
  const lines = [headline(status), ''];
  if (status.waiting?.for === 'decision') lines.push(...decisionSection(status, status.waiting), '');
  if (status.waiting?.for === 'time')
    lines.push(`Waits for **${inline(status.waiting.what)}** until ${status.waiting.until}.`, '');
  if (status.paused !== undefined) {
    const { by, reason } = status.paused;
    lines.push(
      `**Paused** by ${inline(by ?? 'somebody')}${reason === undefined ? '' : `: ${inline(reason)}`}. Signal \`resume\` goes on.`,
      '',
    );
  }
  if (status.next !== '') lines.push(`Next: ${status.next}`, '');
  if (status.shards !== undefined) lines.push(...shardTable(status.shards), '');
  if (status.phases.length > 0) {
    lines.push('| phase | took | result |', '| --- | --- | --- |');
    for (const result of status.phases) {
      const { phase, seconds, summary } = result;
      lines.push(`| ${phase} | ${formatDuration(seconds * 1_000)} | ${cell(summary)}${phaseMark(result)} |`);
    }
    lines.push('');
  }
  if (status.judged !== undefined) lines.push(...verdictTable(status.judged), '');
  if (status.hops.length > 0) lines.push('Hops done:', '', ...status.hops.map(hopLine), '');
  for (const environment of ENVIRONMENTS) {
    const target = status[environment];
    if (target === undefined) continue;
    lines.push(`${environment} **${target.name}**: ${target.path.join(' → ')}`, '');
  }
  if (status.settle?.reason !== undefined) {
    lines.push(
      `The settle is shortened to ${formatDuration(status.settle.atLeastMs)}: ${inline(status.settle.reason)}`,
      '',
    );
  }
  const refused = status.decisions.filter(({ counted }) => !counted).slice(-3);
  if (refused.length > 0) {
    lines.push(
      'Not counted:',
      '',
      ...refused.map(
        ({ kind, gate, refused: why, at }) => `- ${at} ${kind} ${inline(gate ?? '')}: ${inline(why ?? '')}`,
      ),
      '',
    );
  }
  return lines.join('\n').trimEnd();
}

/**
 * One line that says whose upgrade it is, who started it, and where it is. The Web UI shows what was said at the start for the
 * first run alone: continue-as-new hands it to no other.
 */
export function headline(status: RolloutStatus): string {
  const { state, current, starter } = status;
  const by = starter === undefined ? '' : `, started by ${inline(starter)}`;
  return `${upgradeOf(status)}${by}: **${state}**${current === undefined ? '' : `, ${placeOf(status, current)}`}`;
}

function upgradeOf({ rolloutId, live, to }: RolloutStatus): string {
  if (live !== undefined) return `**${inline(live.name)}** ${live.path[0] ?? ''} → ${live.path.at(-1) ?? to}`;
  return `**${inline(rolloutId)}**${to === '' ? '' : ` to ${inline(to)}`}`;
}

function placeOf(
  status: RolloutStatus,
  { environment, from, to, phase }: NonNullable<RolloutStatus['current']>,
): string {
  if (environment === undefined) return phase;
  const name = status[environment]?.name;
  return `${environment}${name === undefined ? '' : ` (${inline(name)})`} ${from} → ${to}, ${phase}`;
}

function decisionSection(status: RolloutStatus, gate: Extract<Waiting, { for: 'decision' }>): string[] {
  const title = gate.kind === 'incident' ? '## Incident' : '## Waits for a decision';
  const decisions = gate.allowed.map((kind) => `- \`${kind}\`: ${meaningOf(gate, kind)}`);
  const shown = shownKind(gate);
  const payload = shownPayload(gate, shown);
  return [
    `${title}: \`${gate.name}\``,
    '',
    ...gate.evidence.map((line) => `- ${inline(line)}`),
    '',
    ...(gate.needs === undefined ? [] : [`Needs ${inline(needsText(gate.needs))}.`, '']),
    ...(gate.expiresAt === undefined ? [] : [`Becomes an incident at ${gate.expiresAt} if nobody passes it.`, '']),
    // Else Markdown makes one list of both.
    'What can be decided:',
    '',
    ...decisions,
    '',
    `In the Web UI: _More Actions_, _Send a Signal_, \`${shown}\`, with this as JSON:`,
    '```',
    JSON.stringify(payload),
    '```',
    'or in a terminal:',
    '```',
    signalCommand(status.rolloutId, shown, gate, ' \\\n  '),
    '```',
    ...(payload.by === undefined && (gate.needs?.identity ?? 'said') === 'said'
      ? ['', 'With `"by":"<your name>"` beside the gate, the report says who it was.']
      : []),
  ];
}

/** The command of the Temporal CLI that sends a decision, for a POSIX shell; `between` its options, such as a new line. */
export function signalCommand(rolloutId: string, kind: DecisionKind, gate: Gate, between = ' '): string {
  // Whoever started it may have chosen any workflow id.
  const input = shellWord(JSON.stringify(shownPayload(gate, kind)));
  const options = [`--workflow-id ${shellWord(rolloutId)}`, `--name ${kind}`, `--input ${input}`];
  return ['temporal workflow signal', ...options].join(between);
}

/** What a decision will do at the gate, and what has to be sent with it. */
export function meaningOf(gate: Gate, kind: DecisionKind): string {
  const asked = Object.keys(shownPayload(gate, kind)).filter((field) => field !== 'gate');
  const needs = asked.length === 0 ? '' : `; needs ${asked.map((field) => `"${field}"`).join(' and ')}`;
  return `${MEANING[gate.kind][kind] ?? ''}${needs}`;
}

const MEANING: Record<'approval' | 'incident', Partial<Record<DecisionKind, string>>> = {
  approval: {
    approve: 'go on with the step that the gate is named after',
    reject: 'do not; then retry, roll back or abort decides',
    abort: 'end the roll-out here; servers and schemas stay as they are',
  },
  incident: {
    approve: 'go on in spite of it; the report shows who, and why',
    retry: 'do the phase again',
    rollBack: 'put the servers of this hop back to the version before; the schema stays',
    restore: 'open the gate that says what going back to the backups would lose',
    abort: 'end the roll-out here; servers and schemas stay as they are',
  },
};

function hopLine({ environment, from, to, outcome, phases, waitedSeconds }: HopResult): string {
  return `- ${environment} ${from} → ${to}: ${outcome}, ${formatDuration(workSeconds(phases) * 1_000)} of work, ${formatDuration(waitedSeconds * 1_000)} for people`;
}
