/** Channel arguments of a connection that shares nothing: the common pool would answer from the back-off of an earlier failure. */
export const OWN_CHANNEL = { 'grpc.use_local_subchannel_pool': 1 } as const;

/** Ten days: timers of Node end at 24.8, and grpc-js adds a back-off to itself when it takes it back. */
const NEVER_MS = 10 * 24 * 3_600_000;

/**
 * The same for a connection that is asked once and closed. A channel that is closed after it failed to connect tries once more
 * when its back-off ends (grpc-js 1.14, `continueConnecting` in subchannel.ts), as to a server that is just starting; what it
 * then gets nobody closes, and pings it every 30 s. History and matching have no limit for idle connections, and end it after
 * two minutes as one that pings too often. So the back-off never ends.
 */
export const ONE_TRY_CHANNEL = { ...OWN_CHANNEL, 'grpc.initial_reconnect_backoff_ms': NEVER_MS } as const;
