import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { cell, inline, oneLine, shellWord } from '../../src/report/escape.js';

test.each([
  ['a\nb', 'a b'],
  ['a\r\n\t b ', 'a  b'],
  ['\u001b[31mred\u001b[0m', '[31mred [0m'],
  ['a\u2028b\u0000c\u0085d', 'a b c d'],
  ['größer → 日本', 'größer → 日本'],
])('%j is one line: %j', (text, line) => {
  expect(oneLine(text)).toBe(line);
});

test.each([
  ['plain text, 1.30.7 → 1.31.2', 'plain text, 1.30.7 → 1.31.2'],
  ['<img src=x>', '\\<img src=x>'],
  ['![x](http://a)', '!\\[x](http://a)'],
  ['`code`', '\\`code\\`'],
  ['a\n# b', 'a # b'],
])('%j in Markdown: %j', (text, markdown) => {
  expect(inline(text)).toBe(markdown);
});

test.each([
  ['a|b', 'a\\|b'],
  // Else the backslash would take the pipe's own away.
  ['a\\|b', 'a\\\\\\|b'],
  ['a\n|b|', 'a \\|b\\|'],
])('%j in a cell: %j', (text, markdown) => {
  expect(cell(text)).toBe(markdown);
});

test.each(['upgrade-prod', 'a b', "it's", '$(touch x)', '`touch x`', 'a;b', 'a"b', "'; rm -rf /; '", 'a\nb', '*', ''])(
  '%j is one word of a shell',
  (text) => {
    expect(execFileSync('/bin/sh', ['-c', `printf '%s|' ${shellWord(text)}`], { encoding: 'utf8' })).toBe(`${text}|`);
  },
);

test('a usual name needs no quotes', () => {
  expect(shellWord('live/1.31.2/settle/incident/3')).toBe('live/1.31.2/settle/incident/3');
});
