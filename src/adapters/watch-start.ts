import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { splitAddress } from '../core/address.js';
import type { NodeState } from '../core/cluster.js';
import type { Work } from './store.js';

const POLL_MS = 250;
/** For who starts processes to have started this one. */
const APPEARS_WITHIN_MS = 10_000;
/** A server that cannot start says so and ends within a second or two: port taken, wrong password, old schema. */
const AT_LEAST_MS = 2_000;
/** What listens on nothing, such as the worker role up to 1.30, is watched for as long. */
const AT_MOST_MS = 5_000;

export interface WatchedStart {
  readonly state: NodeState;
  /** It never came up, has ended, or was started again by somebody else since. */
  readonly ended: boolean;
}

/** Watches the first moments of a node that was just started, until its port answers or they are over. */
export async function watchStart(look: () => Promise<NodeState>, work?: Work): Promise<WatchedStart> {
  const begin = Date.now();
  let first: { readonly instance: string | undefined; readonly at: number } | undefined;
  for (;;) {
    work?.signal?.throwIfAborted();
    const state = await look();
    work?.onProgress?.(`starting ${state.name}`);
    const now = Date.now();
    if (!state.running && (first !== undefined || now - begin >= APPEARS_WITHIN_MS)) return { state, ended: true };
    if (state.running) {
      first ??= { instance: state.instance, at: now };
      if (state.instance !== first.instance) return { state, ended: true };
      const runsFor = now - first.at;
      if (runsFor >= AT_MOST_MS || (runsFor >= AT_LEAST_MS && (await answers(state.rpcAddress)))) {
        return { state, ended: false };
      }
    }
    await sleep(POLL_MS);
  }
}

/** Whether somebody accepts connections at `address`. */
async function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...splitAddress(address), timeout: 1_000 });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
