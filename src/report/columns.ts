/** Columns that every terminal has. */
export const WIDTH = 80;

/** Rows as lines, each column as wide as its widest cell. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A text as lines of at most 80 columns, with where it comes from below it. */
export function sourced(text: string, source: string): string[] {
  return [...wrap(text, '  ', '    '), ...wrap(`(${source})`, '    ', '     ')];
}

/** A line as it is, where it fits; else in several, and then with single spaces. */
export function wrapIfLong(line: string): string[] {
  return line.length <= WIDTH ? [line] : wrap(line, '', '  ');
}

/** A text as lines of at most 80 columns; breaks at spaces, and inside a word only when it is longer than a line. */
export function wrap(text: string, first: string, rest: string): string[] {
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
