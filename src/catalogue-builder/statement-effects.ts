import { splitStatements } from './split-statements.js';

/** What takes something away or writes a table anew, by its first words. */
const EFFECTS =
  /\b(DROP\s+(?!NOT\b|DEFAULT\b)\w+|(?:MODIFY|ALTER|CHANGE|RENAME)\s+COLUMN)\b|^(TRUNCATE|DELETE\s+FROM|UPDATE)\b/gi;

/**
 * What the scripts of a step remove or rewrite, such as `DROP COLUMN`, each once and in order of the alphabet. Blocks of
 * procedural code are left out: those in the releases so far drop half-built indexes only. See {@link hasProcedure}.
 */
export function removesOrRewrites(scripts: readonly string[]): string[] {
  const found = scripts
    .flatMap(splitStatements)
    .filter((statement) => !isProcedure(statement))
    .flatMap((statement) => [...withoutQuotes(statement).matchAll(EFFECTS)])
    .map(([words]) => words.replace(/\s+/g, ' ').toUpperCase());
  return [...new Set(found)].toSorted();
}

/** Whether a script runs procedural code, which a person has to read. */
export function hasProcedure(scripts: readonly string[]): boolean {
  return scripts.flatMap(splitStatements).some(isProcedure);
}

function isProcedure(statement: string): boolean {
  return /^DO\b/i.test(statement);
}

function withoutQuotes(statement: string): string {
  return statement.replace(/'(?:[^']|'')*'|(\$\w*\$)[\s\S]*?\1/g, "''");
}
