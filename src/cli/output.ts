import { stringify } from 'yaml';
import { InvalidRolloutError, PreconditionError, UnsupportedPathError } from '../core/errors.js';
import { RequestError } from '../client.js';
import { ExitCode } from './exit-codes.js';

export type OutputFormat = 'text' | 'json' | 'yaml';

/** Prints `data` as JSON on one line or as YAML, or `text`. */
export function print(format: OutputFormat, data: unknown, text: string): void {
  const printed = { json: () => JSON.stringify(data), yaml: () => stringify(data).trimEnd(), text: () => text };
  process.stdout.write(`${printed[format]()}\n`);
}

/** Runs a command; what an operator can mend is one clear message and exit code 2, anything else keeps its stack. */
export async function runCommandLine(format: OutputFormat, command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    const expected =
      error instanceof RequestError ||
      error instanceof InvalidRolloutError ||
      error instanceof PreconditionError ||
      error instanceof UnsupportedPathError ||
      (error instanceof Error && error.name === 'ToolUnavailableError');
    process.exitCode = expected ? ExitCode.request : ExitCode.unexpected;
    if (!expected) {
      console.error(error);
      return;
    }
    if (format !== 'text') {
      const problems = error instanceof InvalidRolloutError ? { problems: error.problems } : {};
      print(format, { error: error.message, ...problems }, '');
    }
    process.stderr.write(`error: ${error.message.replaceAll('\n', '\n       ')}\n`);
  }
}
