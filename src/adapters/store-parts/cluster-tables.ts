/** Far more than clusters have processes; what remains are rows of the dead. */
export const MOST_MEMBERS = 500;
export const MOST_GAPS = 10;
/** Of messages that were put aside: more are not counted. */
export const COUNTED_TO = 1_000;
export const MOST_CLUSTERS = 100;

/** `ServiceType` of common/persistence/data_interfaces.go of the server. */
const ROLES: Readonly<Record<number, string>> = {
  1: 'frontend',
  2: 'history',
  3: 'matching',
  4: 'worker',
  5: 'internal-frontend',
};

/** Name of the role of a row of `cluster_membership`. */
export function roleOf(number: number): string {
  return ROLES[number] ?? `role ${number}`;
}
