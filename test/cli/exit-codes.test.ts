import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { buildProgram } from '../../src/cli/program.js';

const documented = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

test('the document has each exit code, and no other', () => {
  const rows = [...documented.matchAll(/^\| (\d+) +\| (.*) \|$/gm)];
  expect(rows.map(([, code]) => Number(code))).toEqual(Object.values(ExitCode));
  for (const [, , meaning = ''] of rows) expect(meaning.trim()).not.toBe('');
});

test('the help of the program has each of them too', () => {
  let help = '';
  const program = buildProgram().configureOutput({ writeOut: (text) => (help += text) });
  program.outputHelp();
  const said = /Exit codes: ([^.]*)\./.exec(help)?.[1] ?? '';
  expect([...said.matchAll(/\d+/g)].map(([code]) => Number(code))).toEqual(Object.values(ExitCode));
});
