import { basename } from 'node:path';
import { PreconditionError } from '../../core/errors.js';

export interface UnitText {
  readonly unit: string;
  /** What `systemctl cat` printed: each file after a line `# /path`. */
  readonly text: string;
  /** Paths of those files. */
  readonly files: readonly string[];
  /** A drop-in that does not count: the one that is about to be written. */
  readonly without: string;
}

/**
 * ExecStart of a unit with `program` in the place of its own, all else as it stands there.
 * @throws PreconditionError when there is not exactly one, or when what it runs is no such program
 */
export function execStartWith(program: string, unit: UnitText): string {
  const found = execStarts(unit);
  const [command] = found;
  if (command === undefined || found.length !== 1) {
    throw new PreconditionError(
      `${unit.unit} has ${found.length} lines ExecStart= in force; expected one, which starts the server`,
      { unit: unit.unit },
    );
  }
  // systemd.service(5): special characters, then the program, which may be quoted.
  const [, special = '', double, single, bare, rest = ''] =
    /^([-@:+!|]*)(?:"([^"]*)"|'([^']*)'|(\S+))(.*)$/s.exec(command) ?? [];
  const present = double ?? single ?? bare ?? '';
  if (basename(present) !== basename(program)) {
    throw new PreconditionError(
      `ExecStart of ${unit.unit} runs ${present}, not ${basename(program)}; let it run the server itself, or name the program in "versionSwitch" as it is called there`,
      { unit: unit.unit },
    );
  }
  return `${special}${program}${rest}`;
}

/** The commands in force: an empty assignment takes back those before it (systemd.syntax(7)). */
function execStarts(unit: UnitText): string[] {
  let commands: string[] = [];
  for (const [section, line] of settings(unit)) {
    const value = section === '[Service]' ? /^ExecStart\s*=\s*(.*)$/s.exec(line)?.[1] : undefined;
    if (value === undefined) continue;
    commands = value === '' ? [] : [...commands, value];
  }
  return commands;
}

/** Every line of every file that counts, with its section; comments left out, continued lines joined. */
function* settings({ text, files, without }: UnitText): Generator<[section: string, line: string]> {
  let [section, counts, begun] = ['', true, ''];
  for (const raw of text.split('\n')) {
    const file = raw.startsWith('# /') ? raw.slice(2).trim() : undefined;
    if (file !== undefined && files.includes(file)) {
      [section, counts, begun] = ['', file !== without, ''];
      continue;
    }
    const line = raw.trim();
    if (!counts || /^[#;]/.test(line)) continue;
    if (line.endsWith('\\')) {
      begun += `${line.slice(0, -1)} `;
      continue;
    }
    const whole = `${begun}${line}`.trim();
    begun = '';
    if (/^\[.*\]$/.test(whole)) section = whole;
    else if (whole !== '') yield [section, whole];
  }
}
