import type { Connection } from '../../core/input/input.js';
import type { RingInfo } from './admin-connection.js';
import { withTarget, type TargetConnection } from './target-connection.js';

const TIMEOUT_MS = 10_000;

/** Role to addresses (host:port) of its members, in order, as one frontend sees them. */
export type Rings = Readonly<Record<string, readonly string[]>>;

/** The rings as the frontend at `address` sees them; the connection's own when left out. */
export async function listRings(connection: Connection, address?: string): Promise<Rings> {
  return withTarget(connection, askForRings, address);
}

/** The rings as a frontend that is connected to sees them. */
export async function askForRings(frontend: TargetConnection): Promise<Rings> {
  const what = `asking ${frontend.address} for its rings`;
  return ringsOf(await frontend.ask(what, () => frontend.grpc.describeRings(), TIMEOUT_MS));
}

/** @throws Error when there is none: a cluster without a ring cannot have answered */
export function ringsOf(rings: readonly RingInfo[]): Rings {
  if (rings.length === 0) throw new Error('the frontend names no ring at all');
  return Object.fromEntries(
    rings.map(({ role, members }) => [role, members.map(({ identity }) => identity).toSorted()]),
  );
}
