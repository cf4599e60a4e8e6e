import type { Command } from 'commander';

/**
 * As `temporal upgrade …` the words come in another order: the Temporal CLI takes out the options that are its own, and puts
 * them first (tryExecuteExtension, internal/temporalcli/commands.extension.go of temporalio/cli 1.9.1).
 */

/** Options of every command of the Temporal CLI, with a value and without (CommonOptions, cliext/flags.gen.go at 1.8.2). */
const WITH_VALUE: ReadonlySet<string> = new Set([
  ...['-o', '--output', '--profile', '--config-file', '--env', '--env-file', '--log-level', '--log-format'],
  ...['--time-format', '--color', '--command-timeout', '--client-connect-timeout'],
]);
const ALONE: ReadonlySet<string> = new Set([
  ...['--disable-config-file', '--disable-config-env', '--no-json-shorthand-payloads'],
]);

/** The Temporal CLI keeps to it itself, by ending this program. */
const KEPT_THERE = '--command-timeout';

/**
 * The words with options of the Temporal CLI behind the command that they are meant for. One that a command does not have is
 * left for it to refuse: an environment or a profile that is passed over would lead to another cluster.
 */
export function inOwnOrder(words: readonly string[], program: Command): string[] {
  const given: string[] = [];
  let rest = words;
  for (let taken = leadingOption(rest); taken > 0; taken = leadingOption(rest)) {
    if (nameOf(rest[0]) !== KEPT_THERE) given.push(...rest.slice(0, taken));
    rest = rest.slice(taken);
  }
  const { depth } = commandAt(rest, program);
  return [...rest.slice(0, depth), ...given, ...rest.slice(depth)];
}

/** How many words the option takes that stands first; none when it is not one of the Temporal CLI. */
function leadingOption([first, value]: readonly string[]): number {
  const name = nameOf(first);
  if (ALONE.has(name)) return 1;
  if (!WITH_VALUE.has(name)) return 0;
  return first === name && value !== undefined ? 2 : 1;
}

function nameOf(word = ''): string {
  return word.split('=', 1)[0] ?? '';
}

function commandAt(words: readonly string[], program: Command): { readonly command: Command; readonly depth: number } {
  let command = program;
  let depth = 0;
  for (;;) {
    const next = command.commands.find((each) => each.name() === words[depth]);
    if (next === undefined) return { command, depth };
    command = next;
    depth += 1;
  }
}

/** The Temporal CLI asks an extension what could stand next in the words of cobra, its library of commands. */
const COMPLETION_REQUESTS: readonly (string | undefined)[] = ['__complete', '__completeNoDesc'];
/** ShellCompDirective of cobra: the shell offers files where nothing fits, or does not. */
const [OFFER_FILES, OFFER_NO_FILES] = [0, 4];

/**
 * What could stand in place of the last word, a line each with what it is about, and how the shell goes on; undefined when that is
 * not what is asked.
 */
export function completionAnswer(words: readonly string[], program: Command): string | undefined {
  const [request, ...typed] = words;
  if (!COMPLETION_REQUESTS.includes(request)) return undefined;
  const last = typed.at(-1) ?? '';
  const before = inOwnOrder(typed.slice(0, -1), program);
  const { command } = commandAt(before, program);
  const offered = [...choicesOf(command, before.at(-1))].filter(([word]) => word.startsWith(last));
  const directive = offered.length === 0 ? OFFER_FILES : OFFER_NO_FILES;
  const lines = offered.map(([word, about]) => (about === '' || request !== '__complete' ? word : `${word}\t${about}`));
  return [...lines, `:${directive}`, ''].join('\n');
}

function* choicesOf(command: Command, previous: string | undefined): Generator<readonly [word: string, about: string]> {
  const { options, commands, registeredArguments } = command;
  const asking = options.find(({ short, long }) => previous !== undefined && [short, long].includes(previous));
  if (asking !== undefined && (asking.required || asking.optional)) {
    for (const choice of asking.argChoices ?? []) yield [choice, ''];
    return;
  }
  for (const each of commands) yield [each.name(), each.description()];
  for (const choice of registeredArguments.flatMap(({ argChoices = [] }) => argChoices)) yield [choice, ''];
  for (const { long, description } of options) if (typeof long === 'string') yield [long, description];
}
