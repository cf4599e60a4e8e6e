import type { Connection } from '@temporalio/client';
// CommonJS that Node cannot see the names of: only its default import works.
import proto from '@temporalio/proto';

/** What `Connection` and `NativeConnection` have in common here. */
type ControlPlane = Pick<Connection, 'operatorService'>;

/** Those of `names` that are not registered in `namespace`. */
export async function missingSearchAttributes(
  { operatorService }: ControlPlane,
  namespace: string,
  names: readonly string[],
): Promise<string[]> {
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  return names.filter((name) => customAttributes?.[name] === undefined);
}

/** Registers those of `names` that are missing, as keywords. */
export async function addSearchAttributes(
  { operatorService }: ControlPlane,
  namespace: string,
  names: readonly string[],
): Promise<void> {
  const { INDEXED_VALUE_TYPE_KEYWORD } = proto.temporal.api.enums.v1.IndexedValueType;
  await operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(names.map((name) => [name, INDEXED_VALUE_TYPE_KEYWORD])),
  });
}
