import { expect, test } from '@jest/globals';
import { readTemplates } from '../../src/catalogue-builder/read-templates.js';
import type { ReleaseFiles } from '../../src/catalogue-builder/release-files.js';

const FOLDER = 'elasticsearch/visibility';
const template = (fields: object) => JSON.stringify({ order: 0, mappings: { dynamic: 'false', properties: fields } });
/** As the server's own are written: what is added stands between two single quotes, on lines of its own. */
const upgrade = (fields: object) => `#!/usr/bin/env bash

set -eu -o pipefail

new_mapping='
${JSON.stringify({ properties: fields }, undefined, 2)}
'

curl --data-binary "$new_mapping" | jq --exit-status '.status=="green" | .'
`;
const KEYWORD = { type: 'keyword' };

function release(of: Readonly<Record<string, { readonly template: object; readonly adds?: object }>>): ReleaseFiles {
  return new Map(
    Object.entries(of).flatMap(([version, { template: fields, adds }]) => {
      const path = `schema/${FOLDER}/versioned/${version}`;
      return [
        [`${path}/index_template_v7.json`, template(fields)] as const,
        ...(adds === undefined ? [] : [[`${path}/upgrade.sh`, upgrade(adds)] as const]),
      ];
    }),
  );
}

test('a field counts from the version whose upgrade adds it, also where an older template was given it afterwards', () => {
  const files = release({
    v9: { template: { RunId: KEYWORD, Problems: KEYWORD } },
    v10: { template: { RunId: KEYWORD, Problems: KEYWORD }, adds: { Problems: KEYWORD } },
    v11: {
      template: { RunId: KEYWORD, Problems: KEYWORD, Count: { type: 'long' } },
      adds: { Count: { type: 'long' } },
    },
  });
  expect(readTemplates(files, FOLDER).map(({ version, fields }) => [version, Object.keys(fields)])).toEqual([
    ['v9', ['RunId']],
    ['v10', ['RunId', 'Problems']],
    ['v11', ['RunId', 'Problems', 'Count']],
  ]);
});

test('a script that says it otherwise is named', () => {
  const files = new Map([
    ...release({ v2: { template: { RunId: KEYWORD } } }),
    [`schema/${FOLDER}/versioned/v2/upgrade.sh`, 'curl --data-binary @mapping.json'],
  ]);
  expect(() => readTemplates(files, FOLDER)).toThrow(
    /^schema\/elasticsearch\/visibility\/versioned\/v2\/upgrade\.sh cannot be read/,
  );
});
