import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { accessRules, ruleName, SETTINGS_RULE } from '../../src/core/pods/access-rules.js';

const Role = z.object({
  rules: z.array(
    z.strictObject({ apiGroups: z.array(z.string()), resources: z.array(z.string()), verbs: z.array(z.string()) }),
  ),
});

/** Every verb that the Role of a file allows. */
async function allowedBy(file: string): Promise<string[]> {
  const text = await readFile(new URL(`../../service/kubernetes/${file}`, import.meta.url), 'utf8');
  return Role.parse(parse(text)).rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => ruleName({ group, resource, verb }))),
    ),
  );
}

const helm = { by: 'helm', helm: ['helm'], chart: 'x', chartVersion: {}, values: [], set: {}, timeout: 1 } as const;
const asked = (change: Parameters<typeof accessRules>[0]['change']) => accessRules({ change }).map(ruleName);

test('the shipped Role has just what is asked for before a roll, and what its settings need, each once', async () => {
  const allowed = await allowedBy('role.yaml');
  expect(allowed.toSorted()).toEqual([...asked({ by: 'image' }), ruleName(SETTINGS_RULE)].toSorted());
  expect(new Set(allowed).size).toBe(allowed.length);
});

test('with that of helm, what is asked for where helm is used', async () => {
  const allowed = new Set([...(await allowedBy('role.yaml')), ...(await allowedBy('role-helm.yaml'))]);
  expect([...allowed].toSorted()).toEqual(asked({ ...helm, helm: ['helm'], values: [] }).toSorted());
});
