/** One place that was looked into for a tool, and why it did not give one. */
export interface ToolAttempt {
  readonly place: string;
  readonly reason: string;
}

/** A program of a Temporal release, or its schema scripts, could not be had. The message says where it was looked for and what an operator can do. */
export class ToolUnavailableError extends Error {
  override readonly name = 'ToolUnavailableError';
  constructor(
    /** Name of the program, such as `temporal-sql-tool`, or `schema scripts`. */
    readonly tool: string,
    /** The version that is needed: a server version, or that of the Temporal CLI. */
    readonly version: string,
    /** Every place in the order in which it was tried. */
    readonly tried: readonly ToolAttempt[],
    /** What to put where below the configured folder. */
    unpack = `the official release archive into a folder, as FOLDER/${tool} or FOLDER/${version}/${tool}`,
  ) {
    super(
      [
        `${tool} ${version} cannot be had on this machine; tried, in this order:`,
        ...tried.map(({ place, reason }) => `- ${place}: ${reason}`),
        'One of these helps:',
        `- unpack ${unpack}, and set TEMPORAL_UPGRADE_TOOLS_DIR=FOLDER for the worker`,
        '- set TEMPORAL_UPGRADE_RELEASES_URL to a mirror of https://github.com that this machine can reach',
        '- install Go 1.21 or later and let it reach a module proxy (GOPROXY); source is then taken from there',
      ].join('\n'),
    );
  }
}
