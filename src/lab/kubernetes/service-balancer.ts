import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { z } from 'zod';
import { findFreePort } from '../free-ports.js';
import { KubeApi, type KubeAccess } from './kube-api.js';
import { follow } from './kube-follow.js';

const Slice = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()).default({}), namespace: z.string() }),
  endpoints: z
    .array(
      z.looseObject({
        addresses: z.array(z.string()),
        conditions: z.looseObject({ ready: z.boolean().nullish() }).default({}),
      }),
    )
    .nullish(),
  ports: z.array(z.looseObject({ port: z.int() })).nullish(),
});

/** Where clients reach the pods of a Service from outside of the cluster. */
export interface ServiceBalancer {
  readonly address: string;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/**
 * Takes connections on a free port of 127.0.0.1, and hands each one to a pod of the Service that is ready just then, at random,
 * as kube-proxy does; open ones stay where they are. A pod that cannot be reached costs its connection.
 */
export async function balanceService(
  access: KubeAccess,
  { namespace, service }: { readonly namespace: string; readonly service: string },
): Promise<ServiceBalancer> {
  const api = await KubeApi.connect(access);
  const ended = new AbortController();
  const slices = new Map<string, readonly { readonly host: string; readonly port: number }[]>();
  const onObject = (object: unknown, uid: string) => {
    const { metadata, endpoints, ports } = Slice.parse(object);
    if (metadata.labels['kubernetes.io/service-name'] !== service || metadata.namespace !== namespace) return;
    const port = ports?.[0]?.port ?? 0;
    const ready = (endpoints ?? []).filter(({ conditions }) => conditions.ready !== false);
    slices.set(
      uid,
      ready.flatMap(({ addresses }) => addresses.map((host) => ({ host, port }))),
    );
  };
  const path = '/apis/discovery.k8s.io/v1/endpointslices';
  await follow(api, path, { onObject, onGone: (uid) => slices.delete(uid) }, ended.signal);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const ready = [...slices.values()].flat();
    const chosen = ready[Math.floor(Math.random() * ready.length)];
    if (chosen === undefined) return client.destroy();
    const pod = createConnection(chosen);
    for (const [socket, other] of [
      [client, pod],
      [pod, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.once('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(pod).pipe(client);
    return undefined;
  });
  const port = await findFreePort();
  server.listen(port, HOST);
  await once(server, 'listening');
  return {
    address: `${HOST}:${port}`,
    close: async () => {
      ended.abort();
      api.close();
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
