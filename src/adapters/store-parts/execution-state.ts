import protobuf from 'protobufjs';

/**
 * The field needed of `temporal.server.api.persistence.v1.WorkflowExecutionState`
 * (proto/internal/temporal/server/api/persistence/v1/executions.proto of the server, the same from 1.0 on).
 */
const ExecutionState = protobuf.Root.fromJSON({
  nested: { WorkflowExecutionState: { fields: { status: { type: 'int32', id: 4 } } } },
}).lookupType('WorkflowExecutionState');

/** The columns of `executions` that tell the state of a run. */
export interface RawState {
  readonly run_id: string;
  readonly state: Uint8Array;
  readonly state_encoding: string;
}

/** Status of a run, of `temporal.api.enums.v1.WorkflowExecutionStatus`. @throws Error when it is written in another encoding */
export function statusOf({ state, state_encoding, run_id }: RawState): number {
  if (state_encoding !== 'Proto3') {
    throw new Error(`the state of run ${run_id} is written as "${state_encoding}"; this version reads "Proto3" alone`);
  }
  const { status } = ExecutionState.toObject(ExecutionState.decode(state), { defaults: true }) as {
    readonly status: number;
  };
  return status;
}
