import { InvalidRolloutError, PreconditionError, UnsupportedPathError } from '../core/errors.js';
import { RequestError } from '../client.js';
import { ExitCode } from './exit-codes.js';

export type OutputFormat = 'text' | 'json';

/** Prints `data` as JSON, or as `text`. */
export function print(format: OutputFormat, data: unknown, text: string): void {
  process.stdout.write(format === 'json' ? `${JSON.stringify(data)}\n` : `${text}\n`);
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
    if (format === 'json') {
      const problems = error instanceof InvalidRolloutError ? { problems: error.problems } : {};
      process.stdout.write(`${JSON.stringify({ error: error.message, ...problems })}\n`);
    }
    process.stderr.write(`error: ${error.message.replaceAll('\n', '\n       ')}\n`);
  }
}
