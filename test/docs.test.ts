import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { loadCatalogue } from '../src/adapters/catalogue-file.js';
import { DECISION_REFUSED, FailureType } from '../src/contract/names.js';
import { SETTING_CHANGES } from '../src/core/catalogue/rules.js';
import { SHAPE_DIFFERENCES } from '../src/core/schema/shape-difference.js';
import { START_CAUSES } from '../src/core/survey/start-errors.js';

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

/** Where an id is written down: after `id:`, as the first argument of a helper, or in a list of kinds. */
const ID_PLACES = [
  /\bid: '([a-z0-9-]+)'/g,
  /\bid: [^'`\n]*\? '([a-z0-9-]+)' : '([a-z0-9-]+)'/g,
  /Unseen\('([a-z0-9-]+)'/g,
  /unseenFinding\('([a-z0-9-]+)'/g,
  /\breason\(\s*'([a-z0-9-]+)'/g,
];

test('every finding, and every reason of a plan, is explained by its id, and no other', async () => {
  const folders = ['src/core/checks', 'src/core/planning'].map((folder) => join(ROOT, folder));
  const sources = folders.flatMap((folder) =>
    readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')),
  );
  const written = sources.flatMap((text) =>
    ID_PLACES.flatMap((place) => [...text.matchAll(place)].flatMap(([, ...ids]) => ids)),
  );
  const { rules } = await loadCatalogue();
  const made = [
    ...rules.moves.map(({ id }) => id),
    ...rules.roll.limits.map(({ id }) => id),
    ...SETTING_CHANGES.flatMap((change) => [`setting-${change}`, `setting-${change}-set`]),
    ...SHAPE_DIFFERENCES.map((kind) => `schema-${kind}`),
    ...START_CAUSES.map((cause) => `start-error-${cause}`),
    ...['persistence', 'visibility'].flatMap((store) => [`${store}-errors`, `${store}-slow`]),
  ];
  const text = readFileSync(join(ROOT, 'docs', 'findings.md'), 'utf8');
  const explained = [...text.matchAll(/^\| `([a-z0-9-]+)` +\| \S/gm)].map(([, id]) => id);
  expect(explained.toSorted()).toEqual([...new Set([...written, ...made])].toSorted());
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
