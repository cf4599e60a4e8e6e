/** A history process of the wanted version: host:port as it broadcasts itself, and when it began, ISO 8601. */
export interface ShardOwner {
  readonly address: string;
  readonly startedAt: string;
}

/**
 * The process that an owner text names. The text is `host:port-sequence-uuid`: fmt.Sprintf("%s-%v-%v") in
 * service/history/shard/context_impl.go at 1.21.6, 1.28.1, 1.29.1, 1.30.7 and 1.31.2; at 1.20.5 it is `host:port` alone.
 */
export function ownerOf<Owner extends Pick<ShardOwner, 'address'>>(
  text: string,
  owners: readonly Owner[],
): Owner | undefined {
  return owners.find(({ address }) => addressOf(text) === address);
}

/** host:port of an owner text; the whole text when it is written in no way known here. */
export function addressOf(text: string): string {
  return /^(.+?:\d+)(?:-\d.*)?$/.exec(text)?.[1] ?? text;
}

/** Whether the text names one load of the shard by one process, and so is another one whenever the shard is taken. */
export function namesOneLoad(text: string): boolean {
  return addressOf(text) !== text;
}
