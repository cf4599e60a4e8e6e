const LONGEST = 120;

/** Quoted names, which stay, before quoted text (also cut off at its end), comments and numbers, where values of users stand. */
const PARTS =
  /"(?:[^"]|"")*"|[eE]?'(?:[^']|'')*(?:'|$)|\$(\w*)\$[^]*?(?:\$\1\$|$)|--[^\n]*|\/\*[^]*?(?:\*\/|$)|\b\d[\w.]*/g;

/** The beginning of a statement with `?` for each value in it, fit for people's eyes: at most 120 characters. */
export function withoutValues(query: string): string {
  // Whether a backslash keeps a quote from ending a text depends on the settings of that session: nothing behind is shown.
  const known = query.includes('\\') ? query.replace(/'[^]*/, '?') : query;
  const plain = known
    .replace(/\$\d+\b/g, '?')
    .replace(PARTS, (part) => (part.startsWith('"') ? part : /^(--|\/\*)/.test(part) ? ' ' : '?'))
    .replace(/\s+/g, ' ')
    .trim();
  return plain.length <= LONGEST ? plain : `${plain.slice(0, LONGEST - 1)}…`;
}
