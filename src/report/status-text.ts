import type { Gate } from '../core/decision.js';
import { formatDuration } from '../core/duration.js';
import type { JudgedWindow } from '../core/measuring/observation.js';
import { ENVIRONMENTS } from '../core/plan.js';
import { needsReason, PLACEHOLDERS, shownKind } from '../core/shown-payload.js';
import { HOP_PHASES, type RolloutStatus, type Waiting, WAYS_BACK } from '../core/status.js';
import { WIDTH, wrap, wrapIfLong } from './columns.js';
import { oneLine, shellWord } from './escape.js';
import { fitRows, type ScreenPart } from './fit-rows.js';
import { needsText } from './gate-needs.js';
import { checkCells } from './observation.js';
import { unpainted, type Paint } from './paint.js';
import { shardLines } from './shard-picture.js';
import { meaningOf } from './status-markdown.js';

export interface StatusTextOptions {
  /** Rows of the terminal; as many as it takes when left out. */
  readonly rows?: number | undefined;
  readonly paint?: Paint;
}

/** Of the parts of a screen that is too low: which is shortened first. */
const [PATHS, PHASES, SHARDS, EVIDENCE, MEANINGS, REST] = [1, 3, 4, 6, 8, 10] as const;
const CUT = [PHASES, REST, SHARDS, PATHS, EVIDENCE, MEANINGS];

/**
 * The status as one screen of a terminal, at most 80 columns wide. `now` is in milliseconds. On one that is too low the phases
 * go first, and the gate with its command last.
 */
export function statusText(
  status: RolloutStatus,
  now: number,
  { rows = Number.POSITIVE_INFINITY, paint = unpainted }: StatusTextOptions = {},
): string {
  const { waiting } = status;
  const decision = waiting?.for === 'decision' ? waiting : undefined;
  const time = waiting?.for === 'time' ? waiting : undefined;
  const parts: ScreenPart[] = [
    { lines: wrapIfLong(titleOf(status)) },
    { lines: ['', ...pathLines(status), ''], short: () => [''] },
    { lines: nowLines(status, now) },
    phasesOf(status, paint),
    shardsOf(status),
    {
      lines: [
        ...(time === undefined ? [] : timeLines(time, now)),
        ...(decision === undefined ? [] : ['', titleLine(decision, paint)]),
      ],
    },
    evidenceOf(decision, status.rolloutId),
    { lines: decision === undefined ? [] : ['', ...askedLines(decision, now)] },
    meaningsOf(decision),
    { lines: decision === undefined ? [] : ['', ...commandLines(status.rolloutId, decision)] },
    restOf(status, paint),
  ];
  return fitRows(parts, rows, CUT).join('\n');
}

function titleOf({ rolloutId, state, to, startedAt }: RolloutStatus): string {
  return `${oneLine(rolloutId)}  ${state}  (to ${to}, since ${startedAt})`;
}

function pathLines(status: RolloutStatus): string[] {
  return ENVIRONMENTS.flatMap((environment) => {
    const target = status[environment];
    if (target === undefined) return [];
    const done = status.hops
      .filter((hop) => hop.environment === environment && hop.outcome === 'completed')
      .map(({ to }) => to);
    const path = target.path
      .map((version, index) => (index === 0 || done.includes(version) ? `${version}*` : version))
      .join(' -> ');
    const name = oneLine(target.name);
    const [first, rest] = [`  ${environment.padEnd(8)}`, ' '.repeat(26)];
    return name.length <= LONG_NAME
      ? wrap(path, `${first}${name.padEnd(16)}`, rest)
      : [...wrap(name, first, ' '.repeat(10)), ...wrap(path, rest, rest)];
  });
}

/** A name that leaves room for some versions of a path beside it. */
const LONG_NAME = 30;

function nowLines({ current }: RolloutStatus, now: number): string[] {
  if (current === undefined) return [];
  const { environment, from, to, phase, since } = current;
  const hop = environment === undefined ? '' : `${environment} ${from} -> ${to}: `;
  return [`now     ${hop}${phase}, for ${formatDuration(Math.max(0, now - Date.parse(since)))}`];
}

function phasesOf({ current, phases }: RolloutStatus, paint: Paint): ScreenPart {
  if (current?.environment === undefined) return { lines: [] };
  const isShown = (name: string) => name === current.phase || phases.some((done) => done.phase === name);
  const lines = [...HOP_PHASES, ...WAYS_BACK.filter(isShown)].map((name) => {
    const result = phases.find((done) => done.phase === name);
    if (result !== undefined) {
      const took = formatDuration(result.seconds * 1_000).padEnd(9);
      return `  done  ${name.padEnd(16)}${took}${cut(oneLine(result.summary), 46)}`;
    }
    return name === current.phase ? paint('good', `  ->    ${name}`) : `        ${name}`;
  });
  // What is behind it, as far as there is room; what comes after it `next` says.
  const behind = lines.filter((line) => line.startsWith('  done'));
  return { lines, short: (rows) => behind.slice(-rows) };
}

function shardsOf({ shards }: RolloutStatus): ScreenPart {
  if (shards === undefined) return { lines: [] };
  const lines = shardLines(shards);
  return { lines, short: (rows) => lines.slice(0, rows) };
}

function titleLine({ kind, name }: Gate, paint: Paint): string {
  const isIncident = kind === 'incident';
  return paint(isIncident ? 'incident' : 'gate', `${isIncident ? 'INCIDENT' : 'GATE'}    ${name}`);
}

function evidenceOf(gate: Gate | undefined, rolloutId: string): ScreenPart {
  const lines = (gate?.evidence ?? []).flatMap((line) => wrap(oneLine(line), '        ', '          '));
  return {
    lines,
    short: (rows) => {
      const kept = lines.slice(0, Math.max(1, rows - 1));
      const more = `… ${lines.length - kept.length} more lines: temporal-upgrade status ${shellWord(rolloutId)}`;
      return [...kept, ...wrap(more, '        ', '          ')];
    },
  };
}

function askedLines({ needs, expiresAt }: Gate, now: number): string[] {
  return [
    ...(needs === undefined ? [] : wrap(oneLine(needsText(needs)), '  needs     ', '            ')),
    ...(expiresAt === undefined ? [] : [`  expires   in ${formatDuration(Math.max(0, Date.parse(expiresAt) - now))}`]),
  ];
}

function meaningsOf(gate: Gate | undefined): ScreenPart {
  if (gate === undefined) return { lines: [] };
  const lines = gate.allowed.flatMap((kind) => wrap(meaningOf(gate, kind), `  ${kind.padEnd(10)}`, ' '.repeat(12)));
  return { lines, short: () => wrap(gate.allowed.join(', '), '  decide    ', ' '.repeat(12)) };
}

/** What makes a line of a shell go on in the next. */
const CONTINUED = ' \\';

/** The command that decides, for a shell; in as many lines as it takes. */
function commandLines(rolloutId: string, gate: Gate): string[] {
  const kind = shownKind(gate);
  const words = [
    `temporal-upgrade ${kind === 'rollBack' ? 'rollback' : kind}`,
    shellWord(rolloutId),
    `--gate ${shellWord(gate.name)}`,
    ...(needsReason(gate, kind) ? [`--reason ${shellWord(PLACEHOLDERS.reason)}`] : []),
  ];
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= WIDTH - CONTINUED.length)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${last === undefined ? '  ' : '    '}${word}`);
  }
  return lines.map((line, index) => (index === lines.length - 1 ? line : `${line}${CONTINUED}`));
}

/** What else there is to know, the most important last. */
function restOf(status: RolloutStatus, paint: Paint): ScreenPart {
  const told = (name: string, text: string) => wrap(oneLine(text), name.padEnd(8), '        ');
  const { paused, next, settle } = status;
  const refused = status.decisions.filter(({ counted }) => !counted).at(-1);
  const lines = [
    ...(status.judged === undefined ? [] : judgedLines(status.judged, paint)),
    ...(paused === undefined
      ? []
      : told('paused', `by ${paused.by ?? 'somebody'}: ${paused.reason ?? 'no reason given'}`)),
    ...(next === '' ? [] : told('next', next)),
    ...(settle?.reason === undefined
      ? []
      : told('settle', `shortened to ${formatDuration(settle.atLeastMs)}: ${settle.reason}`)),
    ...(refused === undefined
      ? []
      : told('refused', `${refused.kind} ${refused.gate ?? ''}: ${refused.refused}`).map((line) => paint('bad', line))),
  ];
  return { lines, short: (rows) => lines.slice(-rows) };
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
function judgedLines({ what, verdict, checks }: JudgedWindow, paint: Paint): string[] {
  const bad = checks.filter(({ verdict: one }) => one === 'fail' || one === 'inconclusive');
  const title = `${oneLine(what)}: ${verdict}, ${checks.length - bad.length} of ${checks.length} checks`;
  const tone = verdict === 'pass' ? 'good' : verdict === 'fail' ? 'bad' : 'gate';
  return [
    ...wrap(title, 'seen    ', '        ').map((line) => paint(tone, line)),
    ...bad.flatMap((check) => {
      const [mark = '', id = '', value = '', bound = ''] = checkCells(check);
      return wrap(`${mark} ${id}: ${value}, bound ${bound}`, '        ', '          ').map((line) =>
        paint('bad', line),
      );
    }),
  ];
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
