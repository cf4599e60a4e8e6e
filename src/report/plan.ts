import { findingText, type Finding } from '../core/finding.js';
import type { Hop, Move, Path, Reason, SchemaStep } from '../core/plan.js';
import { columns, wrap } from './columns.js';

/** A path as other programs read it; the shape is part of the command line's contract. */
export type PlanJson = Path;

/** The path and its hops, field by field, so that nothing else slips into what scripts read. */
export function planJson({ direction, path, hops, findings }: Path): PlanJson {
  return {
    direction,
    path: [...path],
    hops: hops.map(({ from, to, reasons, moves, schema, rollBack, findings }) => ({
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

function reasonJson({ text, source }: Reason): Reason {
  return { text, source };
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
}

/** The path for people, at most 80 columns wide: a table of hops, then what to know of each. */
export function planTable(path: Path, { explain }: PlanTableOptions = { explain: false }): string {
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
    [...table, ...pointOfNoReturn(path).flatMap((line) => wrap(line, '', ''))],
    ...section(
      'the whole path',
      shown(findings, explain).flatMap((finding) => findingLines(finding, explain)),
    ),
    ...hops.flatMap((hop, index) => section(`${index + 1}. ${hop.from} → ${hop.to}`, hopLines(hop, explain))),
  ];
  const notes = explain ? 0 : [findings, ...hops.map((hop) => hop.findings)].flat().filter(isNote).length;
  if (notes > 0) sections.push([`${notes} notes, the rules and their sources: add --explain`]);
  return sections.map((lines) => lines.join('\n')).join('\n\n');
}

/** Up to where the servers alone can go back, and from where on only backups can. */
export function pointOfNoReturn({ direction, path, hops }: Path): string[] {
  const [start] = path;
  if (direction !== 'forward' || start === undefined) return [];
  const costly = hops.filter(({ rollBack }) => rollBack.by === 'backup');
  return [
    ...(costly.length === 0
      ? []
      : [
          `Going back costs data, which only a backup has, from the schema step on to ${costly.map(({ to }) => to).join(', ')}.`,
        ]),
    ...(hops.length < 2
      ? []
      : [
          `Once the servers run ${path[2]}, ${start} can only be had back from backups: servers go back one minor at most.`,
        ]),
  ];
}

function section(title: string, lines: readonly string[]): string[][] {
  return lines.length === 0 ? [] : [[title, ...lines]];
}

function hopLines(hop: Hop, explain: boolean): string[] {
  return [
    ...(explain ? hop.reasons.flatMap(({ text, source }) => sourced(`→ ${text}`, source)) : []),
    ...hop.moves.flatMap((move) => moveLines(move, explain)),
    ...(explain ? Object.entries(hop.schema).flatMap(([part, schema]) => scriptLines(part, schema, hop.to)) : []),
    ...(hop.rollBack.by === 'backup'
      ? hop.rollBack.reasons.flatMap(({ text, source }) => {
          const line = `← going back costs data: ${text}`;
          return explain ? sourced(line, source) : wrap(line, '  ', '    ');
        })
      : []),
    ...shown(hop.findings, explain)
      .filter(({ id }) => !hop.moves.some((move) => move.id === id)) // told above, with its steps
      .flatMap((finding) => findingLines(finding, explain)),
  ];
}

function moveLines({ part, fromKind, toKind, at, before, steps, schema, source }: Move, explain: boolean): string[] {
  const title = `» while on ${at}: the ${part} store from ${fromKind} to ${toKind}, schema ${schema.from} → ${schema.to} (${before} does not take ${fromKind})`;
  return [
    ...(explain ? sourced(title, source) : wrap(title, '  ', '    ')),
    ...steps.flatMap((text, index) => wrap(`${index + 1}. ${text}`, '    ', '       ')),
  ];
}

function scriptLines(part: string, { from, to, folder, scripts }: SchemaStep, server: string): string[] {
  if (from === to) return [];
  return [
    ...wrap(`# ${part} schema ${from} → ${to}, scripts of ${server} in schema/${folder}`, '  ', '    '),
    ...scripts.flatMap(({ version, description }) => wrap(`${version}: ${description}`, '    ', '      ')),
  ];
}

function shown(findings: readonly Finding[], explain: boolean): readonly Finding[] {
  return explain ? findings : findings.filter((finding) => !isNote(finding));
}

function isNote({ severity }: Finding): boolean {
  return severity === 'note';
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

function sourced(text: string, source: string): string[] {
  return [...wrap(text, '  ', '    '), ...wrap(`(${source})`, '    ', '     ')];
}
