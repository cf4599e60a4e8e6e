import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { DECISION_REFUSED, FailureType } from '../src/contract/names.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const documents = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [join('docs', name)] : [])),
];

/** What else the command line tells programs as the `type` of an error. */
const CLI_TYPES = ['Request', 'NoAnswer', 'Usage', 'Unexpected'];

test('every error that leaves an activity or the workflow is explained by its name', () => {
  const text = readFileSync(join(ROOT, 'docs', 'troubleshooting.md'), 'utf8');
  for (const name of [...Object.values(FailureType), DECISION_REFUSED, ...CLI_TYPES])
    expect(text).toMatch(new RegExp(`^\\| \`${name}\` `, 'm'));
});

test.each(documents)('the links of %s lead somewhere', (document) => {
  const text = readFileSync(join(ROOT, document), 'utf8');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  for (const link of links.filter((one) => !/^https?:/.test(one))) {
    const [file = '', anchor] = link.split('#');
    const path = file === '' ? join(ROOT, document) : join(dirname(join(ROOT, document)), file);
    expect([link, relative(ROOT, path), existsSync(path)]).toEqual([link, relative(ROOT, path), true]);
    if (anchor === undefined) continue;
    const anchors = [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => slug(title));
    expect(anchors).toContain(anchor);
  }
});

test('every document is named in the README', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const unnamed = documents.filter((document) => document !== 'README.md' && !readme.includes(`](${document})`));
  expect(unnamed).toEqual([]);
});

/** As GitHub makes it of a title. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
