import { CommandJournal, readJournal, withJournal } from '../../src/adapters/command-journal.js';

/** Does `work`, and gives what it ran as the journal `file` of commands tells it: each line once, in the order of the first time. */
export async function journaling<T>(
  file: string,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly ran: readonly string[] }> {
  const journal = new CommandJournal(file, 'test', (problem) => {
    throw problem;
  });
  const result = await withJournal(journal, work);
  return { result, ran: (await readJournal(file)).map(({ line }) => line) };
}

/** What asks and changes nothing: systemd, a script for the status of a node, a program for its version, an engine of containers. */
const LOOKS =
  /systemctl (show|cat) |test -L |journalctl | status [\w-]+$|--version'?$|^\S*podman(-compose)? .*?\b(ps|inspect|config|logs|exists|version)\b/;
/** Comes when a server has not stopped in time, as on a busy machine; it is told in words. */
const LAST_RESORT = /^kill -KILL |--signal=SIGKILL /;

/** Whether a line of a journal is one that a driver has to say beforehand. */
export function changesSomething(line: string): boolean {
  return !LOOKS.test(line) && !LAST_RESORT.test(line);
}

/** A line that a driver says it will run, as a journal tells it: without folder, environment, input, remark, and what happens when it fails. */
export function commandOf(line: string): string {
  return line
    .replace(/^cd \S+ && /, '')
    .replace(/^(?:\w+=(?:"[^"]*"|'[^']*'|[^\s'"]+) )+/, '')
    .replace(/^printf .*? \| /, '')
    .replace(/ \|\| true$/, '')
    .replace(/ # .*$/, '')
    .replace(/ 2>&1 &$/, ' &');
}
