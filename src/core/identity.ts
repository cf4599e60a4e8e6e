/**
 * How sure it is who sent something, from the least on: a field of the payload, which anybody can fill in; the identity of the
 * event, which the client set; the principal of the event, which the server computed from the caller's credentials.
 */
export const IDENTITY_GRADES = ['said', 'claimed', 'proved'] as const;
export type IdentityGrade = (typeof IDENTITY_GRADES)[number];

/** The names of one sender, by grade; what is not known is left out. */
export type Identity = Readonly<Partial<Record<IdentityGrade, string>>>;

/** Where in the control plane's histories stands that something was sent. */
export interface EventPlace {
  readonly runId: string;
  readonly eventId: string;
  /** When the server took it, ISO 8601. */
  readonly at: string;
}

/** The name that counts where `grade` is asked for, or else the surest there is, said before claimed: clients claim `pid@host`. */
export function nameOf(identity: Identity, grade: IdentityGrade): { name: string; grade: IdentityGrade } | undefined {
  for (const each of [grade, 'proved', 'said', 'claimed'] as const) {
    const name = identity[each];
    if (name !== undefined) return { name, grade: each };
  }
  return undefined;
}
