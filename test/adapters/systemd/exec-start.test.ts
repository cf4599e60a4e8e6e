import { expect, test } from '@jest/globals';
import { execStartWith } from '../../../src/adapters/systemd/exec-start.js';

const NEW = '/opt/temporal/1.30.7/temporal-server';
const BASE = '/etc/systemd/system/temporal-history.service';
const DROP_IN = '/etc/systemd/system/temporal-history.service.d/10-own.conf';
const OURS = '/etc/systemd/system/temporal-history.service.d/90-temporal-upgrade.conf';

/** As `systemctl cat` prints the files of a unit. */
function textOf(files: Readonly<Record<string, string>>) {
  const text = Object.entries(files)
    .map(([file, content]) => `# ${file}\n${content}\n`)
    .join('\n');
  return { unit: 'temporal-history.service', text, files: Object.keys(files), without: OURS };
}

const service = (lines: string) => textOf({ [BASE]: `[Unit]\nDescription=x\n[Service]\n${lines}\n[Install]\n` });

test.each([
  ['plain', 'ExecStart=/usr/bin/temporal-server --env production start', `${NEW} --env production start`],
  ['blanks around the equals sign', 'ExecStart = /usr/bin/temporal-server start', `${NEW} start`],
  ['special characters', 'ExecStart=-+/usr/bin/temporal-server start', `-+${NEW} start`],
  ['a quoted program', 'ExecStart="/opt/my programs/temporal-server" start', `${NEW} start`],
  ['a program that is searched for', 'ExecStart=temporal-server start', `${NEW} start`],
  ['variables and quotes', `ExecStart=/x/temporal-server --env $E "a b" 'c'`, `${NEW} --env $E "a b" 'c'`],
  ['no arguments', 'ExecStart=/x/temporal-server', NEW],
  [
    'several lines, with a comment among them',
    'ExecStart=/x/temporal-server --config /etc/temporal \\\n# which one\n; or this\n  start \\\n --service=history',
    `${NEW} --config /etc/temporal  start  --service=history`,
  ],
  ['what was taken back', 'ExecStart=/x/other\nExecStart=\nExecStart=/x/temporal-server start', `${NEW} start`],
])('keeps all but the program: %s', (_, lines, expected) => {
  expect(execStartWith(NEW, service(lines))).toBe(expected);
});

test('a drop-in of the operator has the last word, one of ours does not count', () => {
  const base = '[Service]\nExecStart=/old/temporal-server start\n# /not/a/file\nUser=temporal';
  const own = '[Service]\nExecStart=\nExecStart=/old/temporal-server --env own start';
  const ours = '[Service]\nExecStart=\nExecStart=/opt/temporal/1.29.1/temporal-server --env stale start';
  expect(execStartWith(NEW, textOf({ [BASE]: base, [DROP_IN]: own, [OURS]: ours }))).toBe(`${NEW} --env own start`);
});

test.each([
  ['none', 'User=temporal', /0 lines ExecStart=/],
  ['two', 'ExecStart=/x/temporal-server a\nExecStart=/x/temporal-server b', /2 lines ExecStart=/],
  ['a shell', "ExecStart=/bin/sh -c 'exec temporal-server start'", /runs \/bin\/sh, not temporal-server/],
])('refuses %s', (_, lines, message) => {
  expect(() => execStartWith(NEW, service(lines))).toThrow(message);
});

test('a setting of the same name in another section is none', () => {
  const text = textOf({ [BASE]: '[X-Own]\nExecStart=/bin/other\n[Service]\nExecStart=/x/temporal-server start' });
  expect(execStartWith(NEW, text)).toBe(`${NEW} start`);
});
