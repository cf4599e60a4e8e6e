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
  const levels = levelsOf(program);
  if (shell === 'fish') return fish(program.name(), levels);
  const script = bash(program.name(), levels);
  // zsh runs those of bash, once its own completion is there.
  const begin = [
    '(( ${+functions[compdef]} )) || { autoload -Uz compinit && compinit; }',
    'autoload -Uz +X bashcompinit',
  ];
  return shell === 'bash' ? script : [...begin, 'bashcompinit', script].join('\n');
}

/** A command, or the program itself: what can stand behind it. */
interface Level {
  /** Names of commands that lead here; empty for the program. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly about: string }[];
  readonly options: readonly Option[];
  /** What an argument may be, where that is a list. */
  readonly choices: readonly string[];
}

function levelsOf(command: Command, path: readonly string[] = []): Level[] {
  const { commands, options, registeredArguments } = command;
  const level = {
    path,
    commands: commands.map((each) => ({ name: each.name(), about: each.description() })),
    options,
    choices: registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
  };
  return [level, ...commands.flatMap((each) => levelsOf(each, [...path, each.name()]))];
}

function bash(program: string, levels: readonly Level[]): string {
  const values = new Map<string, readonly string[]>();
  for (const { long, argChoices } of levels.flatMap(({ options }) => options))
    if (typeof long === 'string' && argChoices !== undefined) values.set(long, argChoices);
  const functionName = `_${program.replaceAll('-', '_')}`;
  const paths = levels.flatMap(({ path }) => (path.length === 0 ? [] : [`'${path.join(' ')}'`]));
  return [
    `${functionName}() {`,
    // Not `words` or `path`: in zsh these are variables of the shell's own.
    '  local level="" deeper="" offered="" word_number=1',
    '  local previous="${COMP_WORDS[COMP_CWORD - 1]}" typed="${COMP_WORDS[COMP_CWORD]}"',
    '  while [ "$word_number" -lt "$COMP_CWORD" ]; do',
    '    deeper="${level:+$level }${COMP_WORDS[word_number]}"',
    '    case "$deeper" in',
    `      ${paths.join('|')}) level="$deeper" ;;`,
    '    esac',
    '    word_number=$((word_number + 1))',
    '  done',
    '  case "$level" in',
    ...levels.map((level) => `    '${level.path.join(' ')}') offered='${wordsAt(level).join(' ')}' ;;`),
    '  esac',
    '  case "$previous" in',
    ...[...values].map(([flag, words]) => `    ${flag}) offered='${words.join(' ')}' ;;`),
    '  esac',
    '  COMPREPLY=($(compgen -W "$offered" -- "$typed" || true))',
    '}',
    // Where nothing fits, files: --file and --target take some.
    `complete -o default -F ${functionName} ${program}`,
  ].join('\n');
}

function wordsAt({ commands, options, choices }: Level): string[] {
  const flags = options.flatMap(({ short, long }) => [short, long]).filter((flag) => typeof flag === 'string');
  return [...commands.map(({ name }) => name), ...choices, ...flags, '--help'];
}

function fish(program: string, levels: readonly Level[]): string {
  const quoted = (text: string) => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
  const at = `__${program.replaceAll('-', '_')}_at`;
  const paths = levels.flatMap(({ path }) => (path.length === 0 ? [] : [quoted(path.join(' '))]));
  return [
    // Whether the words before this one lead to the command: `restore` is one, and one of `backups` too.
    `function ${at}`,
    `  set -l known ${paths.join(' ')}`,
    '  set -l level ""',
    '  for word in (commandline -opc)[2..-1]',
    '    set -l deeper (string trim -- "$level $word")',
    '    contains -- "$deeper" $known; and set level "$deeper"',
    '  end',
    '  test "$level" = "$argv[1]"',
    'end',
    ...levels.flatMap(({ path, commands, options, choices }) => {
      const here = `complete -c ${program} -n "${at} '${path.join(' ')}'"`;
      return [
        ...commands.map(({ name, about }) => `${here} -f -a ${name} -d ${quoted(about)}`),
        ...(choices.length === 0 ? [] : [`${here} -f -a ${quoted(choices.join(' '))}`]),
        ...options.map(({ short, long, description, argChoices, required }) =>
          [
            here,
            ...(typeof short === 'string' ? [`-s ${short.slice(1)}`] : []),
            ...(typeof long === 'string' ? [`-l ${long.slice(2)}`] : []),
            ...(argChoices === undefined ? (required ? ['-r'] : []) : [`-x -a ${quoted(argChoices.join(' '))}`]),
            `-d ${quoted(description)}`,
          ].join(' '),
        ),
      ];
    }),
  ].join('\n');
}
