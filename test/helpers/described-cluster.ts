import protobuf from 'protobufjs';

/** `DescribeClusterResponse` with one ring of one member: fields 3, 3, then role 1 and members 3 with their identity 1. */
export function describeCluster(role: string, identity: string): Uint8Array {
  const message = (field: number, bytes: Uint8Array) =>
    protobuf.Writer.create()
      .uint32(field * 8 + 2)
      .bytes(bytes)
      .finish();
  const text = (field: number, value: string) => message(field, Buffer.from(value));
  const ring = Buffer.concat([text(1, role), message(3, text(1, identity))]);
  return message(3, message(3, ring));
}
