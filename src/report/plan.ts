import type { Finding, Hop, Path } from '../core/plan.js';

/** A path as other programs read it; the shape is part of the command line's contract. */
export interface PlanJson {
  readonly path: readonly string[];
  readonly hops: readonly Hop[];
  /** Of the path as a whole, such as a pin that it does not use; those of a hop are with the hop. */
  readonly findings: readonly Finding[];
}

/** The path and its hops, field by field, so that nothing else slips into what scripts read. */
export function planJson({ path, hops, findings }: Path): PlanJson {
  return {
    path: [...path],
    hops: hops.map(({ from, to, schema, findings }) => ({
      from,
      to,
      schema: {
        default: { from: schema.default.from, to: schema.default.to },
        visibility: { from: schema.visibility.from, to: schema.visibility.to },
      },
      findings: findings.map(findingJson),
    })),
    findings: findings.map(findingJson),
  };
}

function findingJson({ id, severity, message, source }: Finding): Finding {
  return { id, severity, message, source };
}

const WIDTH = 80;
const MARKS: Readonly<Record<Finding['severity'], string>> = { blocking: '✗', warning: '!', note: '·' };

/** The path for people, at most 80 columns wide. */
export function planTable({ path, hops, findings }: Path): string {
  const rows = hops.map(({ from, to, schema }, index) => [
    `${index + 1}`,
    `${from} → ${to}`,
    step(schema.default),
    step(schema.visibility),
  ]);
  const table =
    rows.length === 0
      ? [`${path[0] ?? ''}: nothing to do`]
      : columns([['hop', 'server', 'default schema', 'visibility schema'], ...rows]);
  const sections = [
    ...(findings.length === 0 ? [] : [['the whole path', ...findings.flatMap(findingLines)]]),
    ...hops
      .filter((hop) => hop.findings.length > 0)
      .map((hop) => [`${hop.from} → ${hop.to}`, ...hop.findings.flatMap(findingLines)]),
  ];
  return [table, ...sections].map((lines) => lines.join('\n')).join('\n\n');
}

function step({ from, to }: { readonly from: string; readonly to: string }): string {
  return from === to ? `${to} (same)` : `${from} → ${to}`;
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function findingLines({ id, severity, message, source }: Finding): string[] {
  return [
    ...wrap(`${MARKS[severity]} ${severity === 'note' ? '' : `${severity} `}${id}: ${message}`, '  ', '    '),
    ...wrap(`(${source})`, '    ', '     '),
  ];
}

/** Breaks at spaces, and inside a word only when it is longer than a line. */
function wrap(text: string, first: string, rest: string): string[] {
  const room = WIDTH - rest.length;
  const words = text.split(/\s+/).flatMap((word) => word.match(new RegExp(`.{1,${room}}`, 'gu')) ?? []);
  const lines: string[] = [];
  let line = first;
  for (const word of words) {
    const indented = line === first || line === rest;
    const longer = indented ? line + word : `${line} ${word}`;
    if (longer.length <= WIDTH || indented) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = rest + word;
  }
  return [...lines, line];
}
