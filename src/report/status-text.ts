import { formatDuration } from '../core/duration.js';
import { HOP_PHASES, type RolloutStatus, WAYS_BACK } from '../core/status.js';
import { oneLine, shellWord } from './escape.js';
import { shardLines } from './shard-picture.js';
import { MEANING } from './status-markdown.js';

/** The status as one screen of a terminal, at most 80 columns where its values allow. `now` is in milliseconds. */
export function statusText(status: RolloutStatus, now: number): string {
  const { current, waiting } = status;
  const lines = [`${oneLine(status.rolloutId)}  ${status.state}  (to ${status.to}, since ${status.startedAt})`, ''];
  for (const environment of ['staging', 'live'] as const) {
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
  if (waiting?.for === 'time') {
    lines.push(
      `waits   ${oneLine(waiting.what)}: ${formatDuration(Math.max(0, Date.parse(waiting.until) - now))} left`,
    );
  }
  if (status.shards !== undefined) lines.push(...shardLines(status.shards));
  if (waiting?.for === 'decision') {
    lines.push('', `${waiting.kind === 'incident' ? 'INCIDENT' : 'GATE'}    ${waiting.name}`);
    lines.push(...waiting.evidence.map((line) => `        ${oneLine(line)}`), '');
    for (const kind of waiting.allowed) {
      lines.push(`  ${kind.padEnd(10)}${MEANING[waiting.kind][kind] ?? ''}`);
    }
    const first = waiting.allowed[0] ?? 'approve';
    const command = first === 'rollBack' ? 'rollback' : first;
    lines.push('', `  temporal-upgrade ${command} ${shellWord(status.rolloutId)} --gate ${shellWord(waiting.name)}`);
  }
  if (status.paused !== undefined)
    lines.push(oneLine(`paused  by ${status.paused.by ?? 'somebody'}: ${status.paused.reason ?? 'no reason given'}`));
  if (status.next !== '') lines.push(`next    ${status.next}`);
  if (status.settle?.reason !== undefined) {
    lines.push(`settle  shortened to ${formatDuration(status.settle.atLeastMs)}: ${oneLine(status.settle.reason)}`);
  }
  const refused = status.decisions.filter(({ counted }) => !counted).at(-1);
  if (refused !== undefined) lines.push(oneLine(`refused ${refused.kind} ${refused.gate ?? ''}: ${refused.refused}`));
  return lines.join('\n');
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
