import { z } from 'zod';

/** Of the API's objects what is used here. Anything else in them is left aside. */

const Metadata = z.object({
  name: z.string(),
  uid: z.string(),
  resourceVersion: z.string().optional(),
  generation: z.number().optional(),
  creationTimestamp: z.string(),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  ownerReferences: z
    .array(z.object({ apiVersion: z.string(), kind: z.string(), name: z.string(), uid: z.string() }))
    .default([]),
  managedFields: z
    .array(
      z.object({
        manager: z.string().default(''),
        operation: z.string().default(''),
        time: z.string().optional(),
        fieldsV1: z.unknown().optional(),
      }),
    )
    .default([]),
});

const Reference = z.object({ name: z.string().default(''), key: z.string().default('') });

const Container = z.object({
  name: z.string(),
  image: z.string().default(''),
  readinessProbe: z.looseObject({ grpc: z.unknown().optional() }).optional(),
  env: z
    .array(
      z.object({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z
          .object({
            fieldRef: z.object({ fieldPath: z.string() }).optional(),
            configMapKeyRef: Reference.optional(),
          })
          .optional(),
      }),
    )
    .default([]),
  envFrom: z
    .array(
      z.object({
        prefix: z.string().default(''),
        configMapRef: z.object({ name: z.string().default('') }).optional(),
      }),
    )
    .default([]),
  volumeMounts: z
    .array(z.object({ name: z.string(), mountPath: z.string(), subPath: z.string().optional() }))
    .default([]),
  lifecycle: z
    .object({
      preStop: z
        .object({
          exec: z.object({ command: z.array(z.string()).optional() }).optional(),
          sleep: z.object({ seconds: z.number() }).optional(),
        })
        .optional(),
    })
    .optional(),
});
export type ContainerShape = z.infer<typeof Container>;

const MapSource = z.object({
  name: z.string(),
  items: z.array(z.object({ key: z.string(), path: z.string() })).optional(),
});

const Selector = z.object({ matchLabels: z.record(z.string(), z.string()).default({}) });

const PodSpec = z.object({
  containers: z.array(Container),
  terminationGracePeriodSeconds: z.number().default(30),
  volumes: z
    .array(
      z.object({
        name: z.string(),
        configMap: MapSource.optional(),
        projected: z.object({ sources: z.array(z.object({ configMap: MapSource.optional() })).default([]) }).optional(),
      }),
    )
    .default([]),
});

const Template = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }).default({ labels: {} }),
  spec: PodSpec,
});

const Condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  lastTransitionTime: z.string().nullish(),
});

const Amount = z.union([z.number(), z.string()]);

export const DeploymentShape = z.object({
  kind: z.literal('Deployment').default('Deployment'),
  metadata: Metadata,
  spec: z.object({
    replicas: z.number().default(1),
    paused: z.boolean().default(false),
    minReadySeconds: z.number().default(0),
    progressDeadlineSeconds: z.number().default(600),
    strategy: z.object({
      type: z.string(),
      rollingUpdate: z.object({ maxSurge: Amount.optional(), maxUnavailable: Amount.optional() }).optional(),
    }),
    selector: Selector,
    template: Template,
  }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      replicas: z.number().default(0),
      updatedReplicas: z.number().default(0),
      availableReplicas: z.number().default(0),
      conditions: z.array(Condition).default([]),
    })
    .prefault({}),
});
export type DeploymentShape = z.infer<typeof DeploymentShape>;

export const StatefulSetShape = z.object({
  kind: z.literal('StatefulSet').default('StatefulSet'),
  metadata: Metadata,
  spec: z.object({
    replicas: z.number().default(1),
    minReadySeconds: z.number().default(0),
    updateStrategy: z.object({
      type: z.string(),
      rollingUpdate: z.object({ partition: z.number().default(0) }).optional(),
    }),
    selector: Selector,
    template: Template,
  }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      replicas: z.number().default(0),
      currentRevision: z.string().default(''),
      updateRevision: z.string().default(''),
    })
    .prefault({}),
});
export type StatefulSetShape = z.infer<typeof StatefulSetShape>;

export const ReplicaSetShape = z.object({
  metadata: Metadata,
  spec: z.object({ replicas: z.number().default(0), template: Template }),
  status: z
    .object({
      replicas: z.number().default(0),
      observedGeneration: z.number().default(0),
      conditions: z.array(Condition).default([]),
    })
    .prefault({}),
});
export type ReplicaSetShape = z.infer<typeof ReplicaSetShape>;

const Terminated = z.object({
  exitCode: z.number(),
  reason: z.string().optional(),
  message: z.string().optional(),
});

const ContainerState = z
  .object({
    running: z.object({ startedAt: z.string().nullish() }).optional(),
    waiting: z.object({ reason: z.string().optional(), message: z.string().optional() }).optional(),
    terminated: Terminated.optional(),
  })
  .default({});

export const PodShape = z.object({
  metadata: Metadata,
  spec: PodSpec.extend({ nodeName: z.string().optional() }),
  status: z
    .object({
      phase: z.string().default('Pending'),
      podIP: z.string().optional(),
      conditions: z.array(Condition).default([]),
      containerStatuses: z
        .array(
          z.object({
            name: z.string(),
            image: z.string().default(''),
            containerID: z.string().optional(),
            ready: z.boolean().default(false),
            restartCount: z.number().default(0),
            state: ContainerState,
            lastState: ContainerState,
          }),
        )
        .default([]),
    })
    .prefault({}),
});
export type PodShape = z.infer<typeof PodShape>;

export const ConfigMapShape = z.object({
  metadata: Metadata,
  immutable: z.boolean().default(false),
  data: z.record(z.string(), z.string()).default({}),
});
export type ConfigMapShape = z.infer<typeof ConfigMapShape>;

export const EventShape = z.object({
  type: z.string().optional(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  count: z.number().nullish(),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
  metadata: z.object({ creationTimestamp: z.string().nullish() }),
});

/** An object of which nothing but its head was asked for. */
export const HeadShape = z.object({ metadata: Metadata.extend({ namespace: z.string().default('') }) });

/** A list of objects of one shape, with the version of the list for a watch that begins where it ends. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({
    metadata: z.object({ resourceVersion: z.string().default('') }),
    items: z
      .array(item)
      .nullish()
      .transform((items) => items ?? []),
  });
}
