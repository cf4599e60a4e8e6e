/**
 * Comments, quoted text (a quote inside is doubled), quoted names, dollar-quoted bodies, and what ends a statement;
 * everything else goes by one character at a time.
 */
const TOKEN = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|(\$\w*\$)[\s\S]*?\1|;|[\s\S]/g;

/** The statements of an SQL or CQL script, one by one, without comments and closing semicolons. */
export function splitStatements(script: string): string[] {
  const statements = [''];
  for (const [token] of script.matchAll(TOKEN)) {
    if (token === ';') statements.push('');
    else if (/^(--|\/\*)/.test(token)) statements.push(`${statements.pop() ?? ''} `);
    else statements.push(`${statements.pop() ?? ''}${token}`);
  }
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '');
}
