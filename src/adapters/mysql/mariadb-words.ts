/**
 * Default of a column as MySQL tells it, of what MariaDB tells from 10.2.7 on (its documentation, Information Schema COLUMNS table): an
 * expression as one writes it, so that texts have quotes, and `NULL` is a word.
 */
export function constantOfMariadb(fallback: string | null): string | null {
  if (fallback === null || fallback === 'NULL') return null;
  const [, text] = /^'((?:[^']|'')*)'$/.exec(fallback) ?? [];
  return text === undefined ? fallback : text.replaceAll("''", "'");
}
