/** Somebody asked for what cannot be done; the message says what to do. Not a bug. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** Stable, for programs: the type of the failure that it tells of, where there is one. */
  readonly type: string;

  constructor(message: string, { type = 'Request', ...options }: ErrorOptions & { readonly type?: string } = {}) {
    super(message, options);
    this.type = type;
  }
}

/** Nobody answers now; the same may be answered later. */
export class NoAnswerError extends RequestError {
  override readonly type = 'NoAnswer';
}
