import { createInterface, type Interface } from 'node:readline/promises';
import { RequestError } from '../../core/request-error.js';
import type { OutputFormat } from '../output.js';

/** Whether a person is there to answer: on a terminal, where text is wanted. */
export function isAnswered(output: OutputFormat): boolean {
  return output === 'text' && process.stdin.isTTY && process.stdout.isTTY;
}

/** Whether a person says yes to `what`; anything else is no. */
export async function saysYes(terminal: Interface, what: string): Promise<boolean> {
  return /^y(es)?$/i.test((await terminal.question(`${what}? (yes or no) `)).trim());
}

/** Asks for what a flag would say. @throws RequestError where nobody is there to answer */
export type Ask = (flag: string, question: string) => Promise<string>;

/** Lets `use` ask people on a terminal, where there is one and text is wanted. */
export async function withQuestions<T>(
  { output }: { readonly output: OutputFormat },
  use: (ask: Ask) => Promise<T>,
): Promise<T> {
  let terminal: Interface | undefined;
  const ask: Ask = async (flag, question) => {
    if (!isAnswered(output)) throw new RequestError(`${flag} is missing: ${question}`);
    terminal ??= createInterface({ input: process.stdin, output: process.stdout });
    const answer = (await terminal.question(`${question}: `)).trim();
    if (answer === '') throw new RequestError(`${flag} is missing: ${question}; nothing was written`);
    return answer;
  };
  try {
    return await use(ask);
  } finally {
    terminal?.close();
  }
}
