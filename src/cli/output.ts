import { stringify } from 'yaml';
import { FailureType } from '../contract/names.js';
import { InvalidRolloutError, messageOf, PreconditionError, UnsupportedPathError } from '../core/errors.js';
import { RequestError } from '../core/request-error.js';
import { ExitCode } from './exit-codes.js';

export type OutputFormat = 'text' | 'json' | 'yaml';

/** Prints `data` as JSON on one line or as YAML, or `text`. */
export function print(format: OutputFormat, data: unknown, text: string): void {
  const printed = { json: () => JSON.stringify(data), yaml: () => stringify(data).trimEnd(), text: () => text };
  process.stdout.write(`${printed[format]()}\n`);
}

/** Says on stderr why a command ended; `isExpected` when an operator can mend it. */
type Tell = (error: unknown, isExpected: boolean) => void;

/** Runs a command; what an operator can mend is one clear message and exit code 2, anything else keeps its stack. */
export async function runCommandLine(
  format: OutputFormat,
  command: () => Promise<void>,
  tell: Tell = inWords,
): Promise<void> {
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
    if (format !== 'text') {
      const problems = error instanceof InvalidRolloutError ? { problems: error.problems } : {};
      print(format, { error: messageOf(error), type: typeOf(error, expected), ...problems }, '');
    }
    tell(error, expected);
  }
}

function inWords(error: unknown, isExpected: boolean): void {
  if (isExpected) process.stderr.write(`error: ${messageOf(error).replaceAll('\n', '\n       ')}\n`);
  else console.error(error);
}

/** The name by which docs/troubleshooting.md explains it. */
function typeOf(error: unknown, expected: boolean): string {
  if (!expected) return UNEXPECTED;
  if (error instanceof RequestError) return error.type;
  if (error instanceof InvalidRolloutError) return FailureType.invalidRollout;
  if (error instanceof UnsupportedPathError) return FailureType.unsupportedPath;
  return error instanceof PreconditionError && error.name !== 'ToolUnavailableError'
    ? FailureType.precondition
    : FailureType.toolUnavailable;
}

const UNEXPECTED = 'Unexpected';

/** Tells a program of a command line that cannot be read, in the format that it asks for, as far as that can be read. */
export function printUsageError(message: string, words: readonly string[]): void {
  const at = words.findIndex((word) => word === '-o' || word.startsWith('--output'));
  const given = words[at]?.includes('=') === true ? words[at].split('=')[1] : words[at + 1];
  if (at < 0 || (given !== 'json' && given !== 'yaml')) return;
  print(given, { error: message.replace(/^error: /, ''), type: 'Usage' }, '');
}
