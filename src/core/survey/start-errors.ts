/** Words of a server that could not start, of every version; what they are about. Read in the server's source. */
const START_ERRORS: readonly { readonly cause: StartCause; readonly words: RegExp }[] = [
  {
    // common/persistence/schema/version.go
    cause: 'schema-behind',
    words: /Expected version: \S+ cannot be greater than Actual version: \S+/,
  },
  { cause: 'plugin', words: /plugin not supported|unknown plugin|not supported plugin/i },
  {
    cause: 'database-rights',
    words:
      /password authentication failed|Access denied for user|permission denied for|database "[^"]*" does not exist/i,
  },
  {
    // What SQL stores say of every way in which no connection can be had; what it was stands in lines above it.
    cause: 'database-unreachable',
    words:
      /no usable database connection found|(sql|cassandra|database|postgres|mysql|persistence).*(connection refused|no such host|i\/o timeout|could not connect)/i,
  },
  { cause: 'schema-unreadable', words: /unable to read (DB|cassandra) schema version/ },
  { cause: 'port-taken', words: /address already in use/ },
  {
    cause: 'configuration',
    words: /config file corrupted|no config files found|unable to load configuration|failed to unmarshal config/i,
  },
];

/** A finding of it is `start-error-` and the cause. */
export const START_CAUSES = [
  'schema-behind',
  'schema-unreadable',
  'database-rights',
  'database-unreachable',
  'port-taken',
  'configuration',
  'plugin',
] as const;
export type StartCause = (typeof START_CAUSES)[number];

/** Why a server could not start, by its own words. */
export interface StartError {
  readonly cause: StartCause;
  /** The words of the log around it. */
  readonly text: string;
}

/** An error of a start lists the server's own functions first; what counts stands at its end. */
const BEFORE = 120;
const AFTER = 160;

/** What a log says of why a server could not start: the last of each cause. */
export function startErrorsIn(log: string): StartError[] {
  const found = new Map<StartCause, StartError>();
  for (const line of log.split('\n')) {
    for (const { cause, words } of START_ERRORS) {
      const match = words.exec(line);
      if (match === null) continue;
      found.set(cause, { cause, text: excerpt(line, match.index, match.index + match[0].length) });
      break; // one line has one cause: the first is the most exact
    }
  }
  return [...found.values()];
}

function excerpt(line: string, from: number, to: number): string {
  const [start, end] = [Math.max(0, from - BEFORE), to + AFTER];
  return `${start === 0 ? '' : '… '}${line.slice(start, end)}${end >= line.length ? '' : ' …'}`;
}
