import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { ruleName } from '../../src/core/pods/access-rules.js';

const Rules = z.array(
  z.strictObject({ apiGroups: z.array(z.string()), resources: z.array(z.string()), verbs: z.array(z.string()) }),
);
const Role = z.object({ rules: Rules });

/** Every verb that the rules of a Role allow, one each, such as `patch deployments.apps`. @throws ZodError when they are none */
export function verbsOf(rules: unknown): string[] {
  return Rules.parse(rules).flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => ruleName({ group, resource, verb }))),
    ),
  );
}

/** Every verb that a Role of `service/kubernetes/` allows. */
export async function allowedBy(file: 'role.yaml' | 'role-helm.yaml' | 'role-operator.yaml'): Promise<string[]> {
  const text = await readFile(new URL(`../../service/kubernetes/${file}`, import.meta.url), 'utf8');
  return verbsOf(Role.parse(parse(text)).rules);
}
