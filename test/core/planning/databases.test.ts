import { expect, test } from '@jest/globals';
import { loadCatalogue } from '../../../src/adapters/catalogue-file.js';
import { databaseFindings } from '../../../src/core/planning/databases.js';
import type { Stores } from '../../../src/core/plan.js';

const catalogue = await loadCatalogue();
const SEARCH: Stores = { default: 'mysql8', visibility: 'elasticsearch' };

/** What is said of a visibility store of that product and version, in a hop. */
function said(from: string, to: string, product: string, version: string): string[] {
  const databases = { default: { product: 'MySQL', version: '8.0.36' }, visibility: { product, version } };
  return databaseFindings(catalogue, { from, to, stores: SEARCH }, databases).map(
    ({ id, severity }) => `${severity} ${id}`,
  );
}

test.each<[from: string, to: string, product: string, version: string, said: string[]]>([
  ['1.16.3', '1.17.6', 'Elasticsearch', '6.8.23', []],
  ['1.17.6', '1.18.5', 'Elasticsearch', '6.8.23', ['block database-not-accepted']],
  ['1.17.6', '1.18.5', 'Elasticsearch', '7.9.3', ['block database-not-accepted']],
  ['1.17.6', '1.18.5', 'Elasticsearch', '7.17.28', []],
  ['1.16.3', '1.17.6', 'Elasticsearch', '8.15.0', ['block database-not-accepted']],
  ['1.29.1', '1.30.7', 'Elasticsearch', '8.15.0', []],
  ['1.30.7', '1.31.2', 'Elasticsearch', '9.0.1', ['block database-not-accepted']],
  ['1.30.7', '1.31.2', 'OpenSearch', '2.18.0', []],
  ['1.30.7', '1.31.2', 'OpenSearch', '1.3.20', ['block database-not-accepted']],
  // Named for the server hopped to, and for none before it.
  ['1.29.1', '1.30.7', 'OpenSearch', '2.18.0', []],
  // Nobody named it for these servers, and they run on it: the hop takes nothing away.
  ['1.28.1', '1.29.1', 'OpenSearch', '2.18.0', ['warn database-not-accepted']],
])('%s → %s on %s %s', (from, to, product, version, findings) => {
  expect(said(from, to, product, version)).toEqual(findings);
});

test('Elasticsearch 6.8 is refused with the way out: which version, and by when', () => {
  const databases = { visibility: { product: 'Elasticsearch', version: '6.8.23' } };
  const [finding] = databaseFindings(catalogue, { from: '1.17.6', to: '1.18.5', stores: SEARCH }, databases);
  expect(finding).toMatchObject({
    found: 'the visibility store is Elasticsearch 6.8.23',
    expected: 'Elasticsearch >=7.10.0 <9, which server 1.18.5 takes',
    action: 'Bring the database there while the servers run 1.17.6',
  });
});
