/**
 * Something that was looked at: what was seen, or why it could not be seen. A question that was not answered is never taken
 * for a good answer: a check of something unseen is a finding of its own.
 */
export type Seen<T> = { readonly seen: T } | { readonly unseen: string };

/** The value where it was seen. */
export function valueOf<T>(looked: Seen<T>): T | undefined {
  return 'seen' in looked ? looked.seen : undefined;
}

/** Why it was not seen; undefined when it was. */
export function unseenReason(looked: Seen<unknown>): string | undefined {
  return 'unseen' in looked ? looked.unseen : undefined;
}
