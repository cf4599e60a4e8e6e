import { findingText, type Finding } from '../core/finding.js';
import type { Hop, Move, Path, Reason, SchemaStep } from '../core/plan.js';
import { formatDuration } from '../core/duration.js';
import { SETTLE_MINUTES } from '../core/sources.js';
import { minorOf } from '../core/version.js';
import { ofPart, partsIn } from '../core/stores.js';
import { columns, sourced, wrap } from './columns.js';
import { rollJson, rollLines } from './plan-roll.js';

/** A path as other programs read it; the shape is part of the command line's contract. */
export type PlanJson = Path;

/** The path and its hops, field by field, so that nothing else slips into what scripts read. */
export function planJson({ direction, path, hops, findings }: Path): PlanJson {
  return {
    direction,
    path: [...path],
    hops: hops.map(({ from, to, reasons, moves, schema, rollBack, roll, findings }) => ({
      from,
      to,
      reasons: reasons.map(reasonJson),
      moves: moves.map(moveJson),
      schema: {
        default: stepJson(schema.default),
        visibility: stepJson(schema.visibility),
        ...(schema.secondaryVisibility === undefined
          ? {}
          : { secondaryVisibility: stepJson(schema.secondaryVisibility) }),
      },
      rollBack: { by: rollBack.by, reasons: rollBack.reasons.map(reasonJson) },
      ...(roll === undefined ? {} : { roll: rollJson(roll) }),
      findings: findings.map(findingJson),
    })),
    findings: findings.map(findingJson),
  };
}

/** A finding as other programs read it. */
export function findingJson(finding: Finding): Finding {
  const { id, found, source } = finding;
  if (finding.severity !== 'note') {
    const { severity, expected, action } = finding;
    return { id, severity, found, expected, action, source };
  }
  const { severity, expected, action } = finding;
  return {
    id,
    severity,
    found,
    ...(expected === undefined ? {} : { expected }),
    ...(action === undefined ? {} : { action }),
    source,
  };
}

function reasonJson({ id, text, source }: Reason): Reason {
  return { id, text, source };
}

function stepJson({ from, to, store, folder, scripts }: SchemaStep): SchemaStep {
  return { from, to, store, folder, scripts: scripts.map((script) => ({ ...script })) };
}

function moveJson({ id, part, fromKind, toKind, at, before, steps, schema, source }: Move): Move {
  return { id, part, fromKind, toKind, at, before, steps: [...steps], schema: { ...schema }, source };
}

const MARKS: Readonly<Record<Finding['severity'], string>> = { block: '✗', warn: '!', note: '·' };

export interface PlanTableOptions {
  /** Rule and source of each line, and the notes. */
  readonly explain: boolean;
  /** Settle of each hop, in milliseconds; that of Temporal's guide when left out. */
  readonly settleMs?: number;
}

/** The path for people, at most 80 columns wide: a table of hops, then what to know of each. */
export function planTable(path: Path, { explain, settleMs }: PlanTableOptions = { explain: false }): string {
  const { hops, findings } = path;
  const table =
    hops.length === 0
      ? [`${path.path[0] ?? ''}: nothing to do`]
      : columns([
          ['hop', 'server', 'default schema', 'visibility schema', 'back by'],
          ...hops.map(({ from, to, schema, rollBack }, index) => [
            `${index + 1}`,
            `${from} → ${to}`,
            step(schema.default),
            step(schema.visibility),
            rollBack.by,
          ]),
        ]);
  const sections = [
    [...table, ...costLines(path, settleMs).flatMap((line) => wrap(line, '', ''))],
    ...section(
      'the whole path',
      shown(findings, explain).flatMap((finding) => findingLines(finding, explain)),
    ),
    ...hops.flatMap((hop, index) => section(`${index + 1}. ${hop.from} → ${hop.to}`, hopLines(hop, explain))),
  ];
  const notes = explain ? 0 : [findings, ...hops.map((hop) => hop.findings)].flat().filter(isAside).length;
  if (notes > 0) sections.push([`${notes} notes, the rules and their sources: add --explain`]);
  return sections.map((lines) => lines.join('\n')).join('\n\n');
}

/** What the path costs: where only backups lead back, and how long it takes at least. */
export function costLines({ direction, path, hops }: Path, settleMs = SETTLE_MINUTES * 60_000): string[] {
  const [start] = path;
  if (direction !== 'forward' || start === undefined) return [];
  const third = path.find((version) => new Set(path.slice(0, path.indexOf(version) + 1).map(minorOf)).size === 3);
  const costly = hops.filter(({ rollBack }) => rollBack.by === 'backup');
  return [
    ...(costly.length === 0
      ? []
      : [
          `Going back costs data, which only a backup has, from the schema step on to ${costly.map(({ to }) => to).join(', ')}.`,
        ]),
    `Each hop takes at least ${formatDuration(settleMs)} of settle: ${formatDuration(hops.length * settleMs)} in all, on each cluster.`,
    ...(third === undefined
      ? []
      : [
          `Once the servers run ${third}, ${start} can only be had back from backups: servers go back one minor at most.`,
        ]),
  ];
}

function section(title: string, lines: readonly string[]): string[][] {
  return lines.length === 0 ? [] : [[title, ...lines]];
}

function hopLines(hop: Hop, explain: boolean): string[] {
  return [
    ...reasonLines(hop.reasons, explain),
    ...moveLines(hop.moves, explain),
    ...(explain ? partsIn(hop.schema).flatMap((part) => scriptLines(part, ofPart(hop.schema, part), hop.to)) : []),
    ...(hop.rollBack.by === 'backup'
      ? hop.rollBack.reasons.flatMap(({ text, source }) => {
          const line = `← going back costs data: ${text}`;
          return explain ? sourced(line, source) : wrap(line, '  ', '    ');
        })
      : []),
    ...(hop.roll === undefined ? [] : rollLines(hop.roll, explain)),
    ...shown(hop.findings, explain)
      .filter(({ id }) => !hop.moves.some((move) => move.id === id)) // told above, with its steps
      .flatMap((finding) => findingLines(finding, explain)),
  ];
}

/** Why this version: in short only what is not plain, such as a patch that was passed over. */
function reasonLines(reasons: readonly Reason[], explain: boolean): string[] {
  if (explain) return reasons.flatMap(({ text, source }) => sourced(`→ ${text}`, source));
  return reasons
    .filter(({ id }) => ['passed-over', 'roll-back-floor', 'pinned'].includes(id))
    .flatMap(({ text }) => wrap(`→ ${text}`, '  ', '    '));
}

/** Stores that move by the same rule have its steps once. */
function moveLines(moves: readonly Move[], explain: boolean): string[] {
  return moves.flatMap((move, index) => {
    const { id, part, fromKind, toKind, at, before, steps, schema, source } = move;
    const title = `» while on ${at}: the ${part} store from ${fromKind} to ${toKind}, schema ${schema.from} → ${schema.to} (${before} does not take ${fromKind})`;
    const last = moves.slice(index + 1).every((other) => other.id !== id);
    return [
      ...(explain && last ? sourced(title, source) : wrap(title, '  ', '    ')),
      ...(last ? steps.flatMap((text, step) => wrap(`${step + 1}. ${text}`, '    ', '       ')) : []),
    ];
  });
}

function scriptLines(part: string, { from, to, folder, scripts }: SchemaStep, server: string): string[] {
  if (from === to) return [];
  return [
    ...wrap(`# ${part} schema ${from} → ${to}, scripts of ${server} in schema/${folder}`, '  ', '    '),
    ...scripts.flatMap(({ version, description }) => wrap(`${version}: ${description}`, '    ', '      ')),
  ];
}

function shown(findings: readonly Finding[], explain: boolean): readonly Finding[] {
  return explain ? findings : findings.filter((finding) => !isAside(finding));
}

/** A note that can wait; what a hop costs cannot. */
function isAside({ id, severity }: Finding): boolean {
  return severity === 'note' && id !== 'schema-script-cost';
}

function step({ from, to }: { readonly from: string; readonly to: string }): string {
  return from === to ? `${to} (same)` : `${from} → ${to}`;
}

/** A finding for people; with its source when asked for. */
export function findingLines(finding: Finding, explain: boolean): string[] {
  const { id, severity, source } = finding;
  const text = `${MARKS[severity]} ${severity === 'note' ? '' : `${severity} `}${id}: ${findingText(finding)}`;
  return explain ? sourced(text, source) : wrap(text, '  ', '    ');
}
