import { describe, expect, test } from '@jest/globals';
import { completionAnswer, inOwnOrder } from '../../src/cli/of-temporal-cli.js';
import { buildProgram } from '../../src/cli/program.js';

const program = buildProgram();

describe('options that the Temporal CLI has put first', () => {
  test.each([
    ['--output json status upgrade-prod', 'status --output json upgrade-prod'],
    [
      '-o json --profile ops status upgrade-prod --address a:1',
      'status -o json --profile ops upgrade-prod --address a:1',
    ],
    ['--output=yaml backups list --target t.yaml', 'backups list --output=yaml --target t.yaml'],
    ['--config-file c.toml approve upgrade-prod --gate g', 'approve --config-file c.toml upgrade-prod --gate g'],
    // Kept to by the Temporal CLI itself.
    ['--command-timeout 5s status upgrade-prod', 'status upgrade-prod'],
    ['--command-timeout=5s watch upgrade-prod', 'watch upgrade-prod'],
    // Not passed over: the command refuses what it does not have.
    ['--env prod status upgrade-prod', 'status --env prod upgrade-prod'],
    ['--disable-config-file status upgrade-prod', 'status --disable-config-file upgrade-prod'],
  ])('%s stand behind the command', (given, meant) => {
    expect(inOwnOrder(given.split(' '), program)).toEqual(meant.split(' '));
  });

  test.each(['status upgrade-prod --output json', '--version', '--help', 'help status', '--nothing status', ''])(
    '"%s" stays as it is',
    (given) => {
      const words = given.split(' ');
      expect(inOwnOrder(words, program)).toEqual(words);
    },
  );

  test('an option without its value stays where it can be complained of', () => {
    expect(inOwnOrder(['--output'], program)).toEqual(['--output']);
  });
});

describe('what the Temporal CLI is told for completion', () => {
  const offered = (...typed: string[]) => completionAnswer(['__complete', ...typed], program)?.split('\n') ?? [];

  test('commands with what they are about, then that no files are wanted', () => {
    expect(offered('ro')).toEqual(['rollback\t' + aboutOf('rollback'), ':4', '']);
    expect(offered('backups', 'ref')[0]).toMatch(/^refresh\t/);
  });

  test('options of the command, and what they take', () => {
    expect(offered('approve', 'upgrade-prod', '--ga')[0]).toMatch(/^--gate\t/);
    expect(offered('status', 'upgrade-prod', '--output', '')).toEqual(['text', 'json', 'yaml', ':4', '']);
    expect(offered('--profile', 'ops', 'status', '--nam')[0]).toMatch(/^--namespace\t/);
  });

  test('files where nothing else fits', () => {
    expect(offered('plan', '--file', 'roll')).toEqual([':0', '']);
  });

  test('no descriptions where none are wanted; and nothing when it is no such request', () => {
    expect(completionAnswer(['__completeNoDesc', 'ro'], program)).toBe('rollback\n:4\n');
    expect(completionAnswer(['status', 'upgrade-prod'], program)).toBeUndefined();
  });
});

function aboutOf(name: string): string {
  return program.commands.find((command) => command.name() === name)?.description() ?? '';
}
