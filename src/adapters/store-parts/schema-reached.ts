import { PreconditionError } from '../../core/errors.js';
import { compareSchemaVersions } from '../../core/version.js';

/** A schema as it is and as it shall be. */
export interface SchemaStep {
  readonly present: string;
  readonly to: string;
}

/**
 * Whether a store has the schema that is wanted already. `where` names it for people.
 * @throws PreconditionError when it has a newer one: schemas are never taken back
 */
export function isSchemaReached(where: string, { present, to }: SchemaStep): boolean {
  const order = compareSchemaVersions(present, to);
  if (order <= 0) return order === 0;
  throw new PreconditionError(
    `schema too new: ${where} has schema ${present}, newer than the ${to} asked for; schemas are never taken back`,
    { reason: 'schema-too-new', where, present, to },
  );
}
