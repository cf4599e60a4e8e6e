import type { Gate } from '../core/decision.js';
import { formatDuration } from '../core/duration.js';
import type { JudgedWindow } from '../core/measuring/observation.js';
import { ENVIRONMENTS } from '../core/plan.js';
import { needsReason, PLACEHOLDERS, shownKind } from '../core/shown-payload.js';
import { HOP_PHASES, type RolloutStatus, type Waiting, WAYS_BACK } from '../core/status.js';
import { WIDTH, wrap } from './columns.js';
import { oneLine, shellWord } from './escape.js';
import { needsText } from './gate-needs.js';
import { checkCells } from './observation.js';
import { shardLines } from './shard-picture.js';
import { meaningOf } from './status-markdown.js';

/** The status as one screen of a terminal, at most 80 columns where its values allow. `now` is in milliseconds. */
export function statusText(status: RolloutStatus, now: number): string {
  const { current, waiting } = status;
  const lines = [`${oneLine(status.rolloutId)}  ${status.state}  (to ${status.to}, since ${status.startedAt})`, ''];
  for (const environment of ENVIRONMENTS) {
    const target = status[environment];
    if (target === undefined) continue;
    const done = status.hops
      .filter((hop) => hop.environment === environment && hop.outcome === 'completed')
      .map(({ to }) => to);
    const path = target.path
      .map((version, index) => (index === 0 || done.includes(version) ? `${version}*` : version))
      .join(' -> ');
    lines.push(`  ${environment.padEnd(8)}${target.name.padEnd(16)}${path}`);
  }
  lines.push('');
  if (current !== undefined) {
    const { environment, from, to, phase, since } = current;
    const hop = environment === undefined ? '' : `${environment} ${from} -> ${to}: `;
    lines.push(`now     ${hop}${phase}, for ${formatDuration(now - Date.parse(since))}`);
    const isShown = (name: string) => name === phase || status.phases.some((done) => done.phase === name);
    const names = [...HOP_PHASES, ...WAYS_BACK.filter(isShown)];
    for (const name of environment === undefined ? [] : names) {
      const result = status.phases.find((done) => done.phase === name);
      if (result !== undefined)
        lines.push(
          `  done  ${name.padEnd(16)}${formatDuration(result.seconds * 1_000).padEnd(9)}${cut(oneLine(result.summary), 46)}`,
        );
      else if (name === phase) lines.push(`  ->    ${name}`);
      else lines.push(`        ${name}`);
    }
  }
  if (waiting?.for === 'time') lines.push(...timeLines(waiting, now));
  if (status.shards !== undefined) lines.push(...shardLines(status.shards));
  if (waiting?.for === 'decision') {
    lines.push('', `${waiting.kind === 'incident' ? 'INCIDENT' : 'GATE'}    ${waiting.name}`);
    lines.push(...waiting.evidence.flatMap((line) => wrap(oneLine(line), '        ', '          ')), '');
    if (waiting.needs !== undefined)
      lines.push(...wrap(oneLine(needsText(waiting.needs)), '  needs     ', '            '));
    if (waiting.expiresAt !== undefined)
      lines.push(`  expires   in ${formatDuration(Math.max(0, Date.parse(waiting.expiresAt) - now))}`);
    for (const kind of waiting.allowed)
      lines.push(...wrap(meaningOf(waiting, kind), `  ${kind.padEnd(10)}`, '            '));
    lines.push('', ...commandLines(status.rolloutId, waiting));
  }
  const told = (name: string, text: string) => lines.push(...wrap(oneLine(text), name.padEnd(8), '        '));
  if (status.judged !== undefined) lines.push(...judgedLines(status.judged));
  if (status.paused !== undefined)
    told('paused', `by ${status.paused.by ?? 'somebody'}: ${status.paused.reason ?? 'no reason given'}`);
  if (status.next !== '') told('next', status.next);
  if (status.settle?.reason !== undefined)
    told('settle', `shortened to ${formatDuration(status.settle.atLeastMs)}: ${status.settle.reason}`);
  const refused = status.decisions.filter(({ counted }) => !counted).at(-1);
  if (refused !== undefined) told('refused', `${refused.kind} ${refused.gate ?? ''}: ${refused.refused}`);
  return lines.join('\n');
}

/** The command that decides, for a shell; in two lines where one is too narrow. */
function commandLines(rolloutId: string, gate: Gate): string[] {
  const kind = shownKind(gate);
  const reason = needsReason(gate, kind) ? ` --reason ${shellWord(PLACEHOLDERS.reason)}` : '';
  const words = `temporal-upgrade ${kind === 'rollBack' ? 'rollback' : kind} ${shellWord(rolloutId)}`;
  const options = `--gate ${shellWord(gate.name)}${reason}`;
  const line = `  ${words} ${options}`;
  return line.length <= WIDTH ? [line] : [`  ${words} \\`, `    ${options}`];
}

const BAR = 40;

/** What is waited for, how long still, and how much of it is over. */
function timeLines({ what, until, since }: Extract<Waiting, { for: 'time' }>, now: number): string[] {
  const end = Date.parse(until);
  const lines = wrap(`${oneLine(what)}: ${formatDuration(Math.max(0, end - now))} left`, 'waits   ', '        ');
  if (since === undefined) return lines;
  const begin = Date.parse(since);
  const share = Math.min(1, Math.max(0, (now - begin) / Math.max(1, end - begin)));
  const done = Math.floor(share * BAR);
  return [...lines, `        [${'#'.repeat(done)}${'-'.repeat(BAR - done)}] ${Math.floor(share * 100)} %`];
}

/** What was observed last, and each check that did not pass. */
function judgedLines({ what, verdict, checks }: JudgedWindow): string[] {
  const bad = checks.filter(({ verdict: one }) => one === 'fail' || one === 'inconclusive');
  return [
    ...wrap(
      `${oneLine(what)}: ${verdict}, ${checks.length - bad.length} of ${checks.length} checks`,
      'seen    ',
      '        ',
    ),
    ...bad.flatMap((check) => {
      const [mark = '', id = '', value = '', bound = ''] = checkCells(check);
      return wrap(`${mark} ${id}: ${value}, bound ${bound}`, '        ', '          ');
    }),
  ];
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
