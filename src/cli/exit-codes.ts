/** Exit codes of every command; documented in docs/cli.md. */
export const ExitCode = {
  ok: 0,
  /** A bug, or something that nobody thought of. */
  unexpected: 1,
  /** The request cannot be carried out as it stands: wrong input, closed gate, nothing running, no connection. */
  request: 2,
  /** A roll-out that was waited for ended without reaching its version. */
  notCompleted: 3,
} as const;
