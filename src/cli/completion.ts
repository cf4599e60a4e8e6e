import { Argument, type Command, type Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** `completion`: a script that completes commands and options in a shell, made from what there is. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes commands and options: source <(temporal-upgrade completion bash)')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action((shell: Shell) => {
      process.stdout.write(`${completionScript(program, shell)}\n`);
    });
}

/** Every command with its options, as a script of the shell. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.map(described);
  if (shell === 'fish') return fish(program.name(), commands);
  const script = bash(program.name(), commands);
  // zsh runs those of bash.
  return shell === 'bash' ? script : ['autoload -U +X bashcompinit && bashcompinit', script].join('\n');
}

interface Described {
  readonly name: string;
  readonly about: string;
  readonly options: readonly Option[];
}

function described(command: Command): Described {
  return { name: command.name(), about: command.description(), options: command.options };
}

function bash(program: string, commands: readonly Described[]): string {
  const flags = (options: readonly Option[]) => options.flatMap(({ short, long }) => [short, long].filter(Boolean));
  const cases = commands.map(
    ({ name, options }) => `    ${name}) words='${[...flags(options), '--help'].join(' ')}' ;;`,
  );
  const values = new Map<string, readonly string[]>();
  for (const { long, argChoices } of commands.flatMap(({ options }) => options))
    if (long !== undefined && argChoices !== undefined) values.set(long, argChoices);
  const choices = [...values].map(([flag, words]) => `    ${flag}) words='${words.join(' ')}' ;;`);
  const functionName = `_${program.replaceAll('-', '_')}`;
  return [
    `${functionName}() {`,
    '  local words="" previous="${COMP_WORDS[COMP_CWORD - 1]}" current="${COMP_WORDS[COMP_CWORD]}"',
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    `    *) words='${commands.map(({ name }) => name).join(' ')} --help --version' ;;`,
    '  esac',
    `  [ "$COMP_CWORD" -eq 1 ] && words='${commands.map(({ name }) => name).join(' ')} --help --version'`,
    '  case "$previous" in',
    ...choices,
    '    completion) words="bash zsh fish" ;;',
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current" || true))',
    '}',
    // Where nothing fits, files: --file and --target take some.
    `complete -o default -F ${functionName} ${program}`,
  ].join('\n');
}

function fish(program: string, commands: readonly Described[]): string {
  const quoted = (text: string) => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
  const names = commands.map(({ name }) => name).join(' ');
  return commands
    .flatMap(({ name, about, options }) => [
      `complete -c ${program} -n "not __fish_seen_subcommand_from ${names}" -f -a ${name} -d ${quoted(about)}`,
      ...options.map(({ short, long, description, argChoices, required }) =>
        [
          `complete -c ${program} -n "__fish_seen_subcommand_from ${name}"`,
          ...(short === undefined || short === null ? [] : [`-s ${short.slice(1)}`]),
          ...(long === undefined || long === null ? [] : [`-l ${long.slice(2)}`]),
          ...(argChoices === undefined ? (required ? ['-r'] : []) : [`-x -a ${quoted(argChoices.join(' '))}`]),
          `-d ${quoted(description)}`,
        ].join(' '),
      ),
    ])
    .join('\n');
}
