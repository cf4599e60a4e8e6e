/** One thing that is wrong with what an operator gave, with the place it is in. */
export interface InputProblem {
  /** Dotted path of the field, such as `live.stores.default.host`; empty for the input as a whole. */
  readonly path: string;
  readonly message: string;
}

/** The roll-out cannot be run as it was asked for. Carries every problem, not just the first. */
export class InvalidRolloutError extends Error {
  override readonly name = 'InvalidRolloutError';
  constructor(readonly problems: readonly InputProblem[]) {
    super(
      problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('\n') ||
        'the roll-out is not valid',
    );
  }
}

/** Something that was looked for is not as it has to be; waiting does not mend it, a person or other input does. */
export class PreconditionError extends Error {
  override readonly name: string = 'PreconditionError';
  constructor(
    message: string,
    /** Facts of the case, without secrets. */
    readonly facts: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A host cannot be reached, so that nothing is known of what runs there; waiting may mend it. */
export class UnreachableError extends PreconditionError {
  override readonly name = 'UnreachableError';
}

/** No path leads from one version to the other under Temporal's rule of one minor at a time. */
export class UnsupportedPathError extends Error {
  override readonly name = 'UnsupportedPathError';
  constructor(
    readonly from: string,
    readonly to: string,
    message: string,
  ) {
    super(message);
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of a system error, such as `ENOENT`. Not by class: an error of another realm, as in tests, has another one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
