import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { completionScript } from '../../src/cli/completion.js';
import { buildProgram } from '../../src/cli/program.js';

const program = buildProgram();

/** What a real bash offers for the last of these words. */
function offered(...words: readonly string[]): string[] {
  const line = ['temporal-upgrade', ...words].map((word) => `'${word}'`).join(' ');
  const script = [
    completionScript(program, 'bash'),
    `COMP_WORDS=(${line}); COMP_CWORD=${words.length}`,
    '_temporal_upgrade',
    String.raw`printf '%s\n' "${'$'}{COMPREPLY[@]}"`,
  ].join('\n');
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-euc', script], { encoding: 'utf8' });
  expect([stderr, status]).toEqual(['', 0]);
  return stdout.split('\n').filter((word) => word !== '');
}

test('bash completes commands', () => {
  expect(offered('')).toEqual(expect.arrayContaining(['plan', 'start', 'approve', 'completion', '--help']));
  expect(offered('ro')).toEqual(['rollback']);
  expect(offered('re')).toEqual(expect.arrayContaining(['reject', 'resume', 'retry', 'restore', 'report']));
});

test('bash completes the options of a command, and what they take', () => {
  expect(offered('approve', 'upgrade-prod', '--g')).toEqual(['--gate']);
  expect(offered('plan', '--')).toEqual(expect.arrayContaining(['--file', '--from', '--to', '--explain']));
  expect(offered('plan', '--')).not.toContain('--gate');
  expect(offered('status', 'upgrade-prod', '--output', '')).toEqual(['text', 'json', 'yaml']);
  expect(offered('completion', '')).toEqual(['bash', 'zsh', 'fish', '--help']);
});

test('bash completes what is below a command', () => {
  expect(offered('backups', '')).toEqual(['list', 'verify', 'restore', 'refresh', 'prune', '--help']);
  expect(offered('backups', 're')).toEqual(['restore', 'refresh']);
  // Not those of the `restore` of a roll-out.
  expect(offered('backups', 'restore', '--')).toEqual(['--hop', '--yes', '--target', '--output', '--help']);
  expect(offered('restore', '--')).toContain('--gate');
  expect(offered('restore', '--')).not.toContain('--hop');
  expect(offered('--')).toEqual(['--version', '--help']);
});

test('nothing is offered where nothing fits: bash then completes files', () => {
  expect(offered('plan', '--file', 'rollout')).toEqual([]);
});

test('every command and option is in the script of fish, each on its line', () => {
  const lines = completionScript(program, 'fish').split('\n');
  const commands = [...program.commands, ...program.commands.flatMap((command) => command.commands)];
  for (const command of commands) expect(lines.some((line) => line.includes(` -a ${command.name()} -d '`))).toBe(true);
  expect(lines).toContain(
    `complete -c temporal-upgrade -n "__temporal_upgrade_at 'approve'" -l gate -r -d 'the gate, as status shows it'`,
  );
  expect(lines).toContain(
    `complete -c temporal-upgrade -n "__temporal_upgrade_at 'backups restore'" -l hop -r -d 'as list names it'`,
  );
  // What is quoted stays quoted.
  for (const line of lines) expect(line.replaceAll(/\\./g, '').split("'").length % 2).toBe(1);
});
