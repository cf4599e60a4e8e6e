import { expect } from '@jest/globals';
import { PreconditionError } from '../../src/core/errors.js';

/** The `PreconditionError` with which some work ends; the test fails when it ends in another way. */
export async function failureOf(work: Promise<unknown>): Promise<PreconditionError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PreconditionError);
  return error as PreconditionError;
}
