/** Words of a server that could not start, of every version; what they are about. Read in the server's source. */
const START_ERRORS: readonly { readonly cause: StartCause; readonly words: RegExp }[] = [
  {
    // common/persistence/schema/version.go
    cause: 'schema-behind',
    words: /Expected version: \S+ cannot be greater than Actual version: \S+/,
  },
  { cause: 'schema-unreadable', words: /unable to read (DB|cassandra) schema version/ },
  { cause: 'database-rights', words: /password authentication failed|Access denied for user|permission denied for/i },
  {
    cause: 'database-unreachable',
    words:
      /(sql|cassandra|database|postgres|mysql|persistence).*(connection refused|no such host|i\/o timeout|could not connect)/i,
  },
  { cause: 'port-taken', words: /address already in use/ },
  { cause: 'configuration', words: /config file corrupted|no config files found|unable to load configuration|yaml: / },
  { cause: 'plugin', words: /not supported plugin|unknown (SQL )?plugin|plugin .*not (found|supported|registered)/i },
];

export type StartCause =
  | 'schema-behind'
  | 'schema-unreadable'
  | 'database-rights'
  | 'database-unreachable'
  | 'port-taken'
  | 'configuration'
  | 'plugin';

/** Lines of a log, each at most `LONGEST` characters, that say why a server could not start. The last of each cause. */
export function startErrorsIn(log: string): string[] {
  const lines = log.split('\n');
  return START_ERRORS.flatMap(({ words }) => lines.findLast((line) => words.test(line)) ?? []).map((line) =>
    line.length <= LONGEST ? line : `${line.slice(0, LONGEST)} …`,
  );
}

const LONGEST = 400;

/** What a line of {@link startErrorsIn} is about; undefined when it is none. */
export function causeOf(line: string): StartCause | undefined {
  return START_ERRORS.find(({ words }) => words.test(line))?.cause;
}
