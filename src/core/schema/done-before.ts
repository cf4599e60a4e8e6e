/**
 * Whether MySQL says of a statement that it was carried out before: ER_TABLE_EXISTS_ERROR, which schema tools before 1.22 do not pass
 * over, ER_BAD_TABLE_ERROR, ER_DUP_FIELDNAME, ER_DUP_KEYNAME, ER_CANT_DROP_FIELD_OR_KEY.
 */
export function isDoneBeforeOnMysql(said: string): boolean {
  return /Table '[^']*' already exists|Unknown table|Duplicate (column|key) name|check that (it|column\/key) exists|Error 10(50|51|60|61|91)\b/.test(
    said,
  );
}

/**
 * The same of PostgreSQL, of what the tool of `passesOver` versions does not pass over: a table, index or column that was dropped. Tools
 * before 1.22 stop at what is there already too; the later ones only mention it.
 */
export function isDoneBeforeOnPostgres(said: string, passesOver: boolean): boolean {
  if (/(?:table|index) "[^"]+" does not exist|column "[^"]+" of relation "[^"]+" does not exist/.test(unescaped(said)))
    return true;
  return !passesOver && said.includes('already exists');
}

/** The tool logs its errors as JSON, where a quote has a backslash before it. */
function unescaped(said: string): string {
  return said.replaceAll('\\"', '"');
}

/**
 * The same of Cassandra: a table, type or column that is there already, which tools before 1.22 do not pass over (each Cassandra has
 * words of its own for columns), and one that was dropped before its time.
 */
export function isDoneBeforeOnCassandra(said: string): boolean {
  return /already exist|conflicts with an existing column|unconfigured table|doesn't exist|was not found/i.test(said);
}
