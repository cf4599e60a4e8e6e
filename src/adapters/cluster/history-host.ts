import type { HistoryHost } from './admin-connection.js';
import type { TargetConnection } from './target-connection.js';

/** Ids of the shards that the history node at `historyAddress` (host:port) has loaded, in order, by its own word. */
export async function listShards(target: TargetConnection, historyAddress: string): Promise<number[]> {
  return shardsOf(
    await target.ask(`asking history host ${historyAddress}`, () => target.grpc.describeHistoryHost(historyAddress)),
  );
}

/** @throws Error when the list is not whole: without it a host would look as if it held no shard */
export function shardsOf({ address, shardsNumber, shardIds }: HistoryHost): number[] {
  if (shardIds.length !== shardsNumber) {
    throw new Error(`history host ${address} reports ${shardsNumber} shards and lists ${shardIds.length}`);
  }
  return shardIds.toSorted((a, b) => a - b);
}
