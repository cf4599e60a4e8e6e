/** What an addition says of itself while it is made: sentences for people. */
export interface Report {
  readonly added: string[];
  readonly look: string[];
}
