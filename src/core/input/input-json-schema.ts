import { z } from 'zod';
import { RolloutInput, Target } from './input.js';

/** JSON Schema (draft 2020-12) of a roll-out as an operator writes it, for editors and for checks outside this project. */
export function rolloutJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(RolloutInput, { io: 'input' });
  return {
    $schema,
    $id: 'urn:temporal-upgrade:rollout',
    title: 'Roll-out of temporal-upgrade',
    description:
      'What to upgrade, to which version, and by which policy. Checks between fields, such as nodes that share an address, are not in this schema: temporal-upgrade makes them itself.',
    ...rest,
  };
}

/** JSON Schema of a target file: one cluster, as under `live` of a roll-out. */
export function targetJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(Target, { io: 'input' });
  return {
    $schema,
    $id: 'urn:temporal-upgrade:target',
    title: 'Target of temporal-upgrade',
    description: 'One cluster, as under "staging" and "live" of a roll-out.',
    ...rest,
  };
}
