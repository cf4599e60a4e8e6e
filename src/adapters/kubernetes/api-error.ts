import { PreconditionError } from '../../core/errors.js';

/** The API server refused something, or could not do it. */
export class ApiError extends PreconditionError {
  override readonly name = 'ApiError';
  constructor(
    /** HTTP status, such as 403. */
    readonly status: number,
    /** Its own word for it, such as `Conflict`. */
    readonly reason: string,
    message: string,
  ) {
    super(message, { status, reason });
  }
}

/** Whether it is an answer of the API server with this status. */
export function hasStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}
