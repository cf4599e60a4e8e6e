import { isGrpcServiceError } from '@temporalio/client';
import { grpcCodeOf } from '../../adapters/cluster/target-connection.js';
import { messageOf } from '../../core/errors.js';

/** In the order of their codes (doc/statuscodes.md of gRPC). */
const NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** Name of the gRPC status of a failed call; `NO_STATUS` for an error that is none of gRPC. */
export function grpcStatusOf(error: unknown): string {
  const code = grpcCodeOf(error);
  return code === undefined ? 'NO_STATUS' : (NAMES[code] ?? `CODE_${code}`);
}

/** Longer ones tell no more, and a server that is down fails many calls. */
const REASON_LENGTH = 300;

/** What a failed call was told, on one line, without the name of its status. */
export function grpcReasonOf(error: unknown): string {
  const reason = isGrpcServiceError(error) ? error.details : messageOf(error);
  return reason.replaceAll(/\s+/g, ' ').trim().slice(0, REASON_LENGTH);
}
