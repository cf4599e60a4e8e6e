import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { environmentLine, shellLine } from '../../src/core/shell-line.js';

test('what is plain stays plain', () => {
  expect(shellLine(['systemctl', 'stop', '--', 'temporal@history.service'])).toBe(
    'systemctl stop -- temporal@history.service',
  );
  expect(shellLine(['a', '', "it's"])).toBe(`a '' 'it'\\''s'`);
});

test('a shell reads back every argument as it was', () => {
  const argument = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(argument, { minLength: 1, maxLength: 5 }), (args) => {
      const printed = execFileSync('sh', ['-c', shellLine(['printf', '%s\\0', ...args])], { encoding: 'utf8' });
      expect(printed.split('\0').slice(0, -1)).toEqual(args);
    }),
    { numRuns: 50 },
  );
});

test('secrets of an environment are named by where they are read', () => {
  expect(environmentLine({})).toBe('');
  expect(environmentLine({ A: 'x y', B: { env: 'NAME' }, C: { file: '/run/s' } })).toBe(
    `A='x y' B="$NAME" C="$(cat /run/s)" `,
  );
});
