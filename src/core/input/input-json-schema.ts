import { z } from 'zod';
import { RolloutInput } from './input.js';

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
