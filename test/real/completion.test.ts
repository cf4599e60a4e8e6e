import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { completionScript, SHELLS } from '../../src/cli/completion.js';
import { buildProgram } from '../../src/cli/program.js';
import { librariesOf } from '../../src/lab/debian-packages.js';
import { findShell } from '../../src/lab/shells.js';
import type { SystemProgram } from '../../src/lab/system-program.js';
import { Terminal } from '../helpers/terminal.js';

/** The scripts of `completion` in the shells themselves: bash and zsh at a terminal, fish by the command that asks its completion. */
let directory: string;
const scriptOf = (shell: string) => join(directory, `completion.${shell}`);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'completion-'));
  for (const shell of SHELLS) await writeFile(scriptOf(shell), `${completionScript(buildProgram(), shell)}\n`);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** What was typed up to Tab, and what then stands there. */
const COMPLETED = [
  ['temporal-upgrade backu', 'temporal-upgrade backups '],
  ['temporal-upgrade backups pru', 'temporal-upgrade backups prune '],
  ['temporal-upgrade backups restore --ho', 'temporal-upgrade backups restore --hop '],
  ['temporal-upgrade approve upgrade-prod --ga', 'temporal-upgrade approve upgrade-prod --gate '],
  ['temporal-upgrade status upgrade-prod --output y', 'temporal-upgrade status upgrade-prod --output yaml '],
  ['temporal-upgrade completion zs', 'temporal-upgrade completion zsh '],
] as const;

/** Where zsh finds its functions and modules when it was only unpacked. */
async function ownPlaces({ folder }: SystemProgram): Promise<string[]> {
  if (folder === undefined) return [];
  const modules = join(await librariesOf(folder), 'zsh');
  const [version = ''] = await readdir(modules);
  const functions = join(folder, 'usr', 'share', 'zsh', 'functions');
  const folders = (await readdir(functions, { recursive: true, withFileTypes: true }))
    .filter((each) => each.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
  return [`module_path=('${join(modules, version)}')`, `fpath=(${[functions, ...folders].join(' ')})`];
}

const START: Record<'bash' | 'zsh', () => Promise<{ command: string[]; env: Record<string, string> }>> = {
  bash: async () => {
    const file = join(directory, 'bashrc');
    await writeFile(file, `PS1='> '\nsource ${scriptOf('bash')}\n`);
    return { command: ['bash', '--noprofile', '--rcfile', file, '-i'], env: {} };
  },
  zsh: async () => {
    const shell = await findShell('zsh');
    // -u: completion does not ask who owns its files.
    const lines = [
      ...(await ownPlaces(shell)),
      'autoload -Uz compinit && compinit -u',
      "PS1='> '",
      `source ${scriptOf('zsh')}`,
    ];
    await writeFile(join(directory, '.zshrc'), `${lines.join('\n')}\n`);
    return { command: [shell.program, '-i'], env: { ...shell.env, ZDOTDIR: directory } };
  },
};

test.each(['bash', 'zsh'] as const)(
  '%s completes commands, what is below them, options, and what these take',
  async (name) => {
    const { command, env } = await START[name]();
    const terminal = await Terminal.start(command, { columns: 100, env });
    try {
      await terminal.until(/^> *$/m);
      for (const [typed, completed] of COMPLETED) {
        await terminal.press(typed, 'Tab', 'x');
        await terminal.until(`> ${completed}x`);
        await terminal.press('C-u', 'C-l');
        await terminal.until(/^> *$/m);
      }
      await terminal.press('temporal-upgrade backups re', 'Tab', 'Tab');
      expect(await terminal.until(/refresh\s+restore/)).not.toContain('resume');
    } finally {
      await terminal.stop();
    }
  },
  240_000,
);

test('fish completes commands, what is below them, options, and what these take', async () => {
  const { program, env } = await findShell('fish');
  const offered = async (typed: string) => {
    const script = `source ${scriptOf('fish')}; complete -C '${typed}'`;
    const home = { ...process.env, ...env, HOME: directory };
    const { stdout } = await promisify(execFile)(program, ['--no-config', '-c', script], { env: home });
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t', 1)[0] ?? '']));
  };
  for (const [typed, completed] of COMPLETED)
    expect(await offered(typed)).toEqual([completed.trim().split(' ').at(-1)]);
  expect(await offered('temporal-upgrade backups re')).toEqual(['refresh', 'restore']);
}, 240_000);
