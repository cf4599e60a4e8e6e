import { z } from 'zod';

const Port = z.union([z.int(), z.string()]);

const Probe = z.looseObject({
  grpc: z.looseObject({ port: z.int(), service: z.string().optional() }).optional(),
  tcpSocket: z.looseObject({ port: Port }).optional(),
  periodSeconds: z.int().default(10),
  initialDelaySeconds: z.int().default(0),
});
export type Probe = z.infer<typeof Probe>;

const KeyRef = z.looseObject({ name: z.string(), key: z.string(), optional: z.boolean().optional() });

const EnvironmentVariable = z.looseObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .looseObject({
      fieldRef: z.looseObject({ fieldPath: z.string() }).optional(),
      secretKeyRef: KeyRef.optional(),
      configMapKeyRef: KeyRef.optional(),
    })
    .optional(),
});
export type EnvironmentVariable = z.infer<typeof EnvironmentVariable>;

const Container = z.looseObject({
  name: z.string(),
  image: z.string(),
  env: z.array(EnvironmentVariable).default([]),
  ports: z.array(z.looseObject({ name: z.string().optional(), containerPort: z.int() })).default([]),
  volumeMounts: z
    .array(z.looseObject({ name: z.string(), mountPath: z.string(), subPath: z.string().optional() }))
    .default([]),
  readinessProbe: Probe.optional(),
});
export type Container = z.infer<typeof Container>;

/** What the lab's node reads of a pod. */
export const Pod = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
    deletionTimestamp: z.string().optional(),
    deletionGracePeriodSeconds: z.int().optional(),
  }),
  spec: z.looseObject({
    nodeName: z.string().optional(),
    restartPolicy: z.enum(['Always', 'OnFailure', 'Never']),
    containers: z.array(Container),
    initContainers: z.array(Container).default([]),
    volumes: z
      .array(
        z.looseObject({
          name: z.string(),
          configMap: z
            .looseObject({
              name: z.string(),
              items: z.array(z.looseObject({ key: z.string(), path: z.string() })).optional(),
            })
            .optional(),
        }),
      )
      .default([]),
  }),
});
export type Pod = z.infer<typeof Pod>;

/** `repository:tag` in its two parts; the tag is `latest` where there is none. */
export function splitImage(image: string): { readonly repository: string; readonly tag: string } {
  const [, repository = image, tag = 'latest'] = /^(.+?)(?::([^:/]+))?$/.exec(image) ?? [];
  return { repository, tag };
}
