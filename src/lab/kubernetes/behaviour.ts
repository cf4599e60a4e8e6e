import { z } from 'zod';
import { splitImage, type Pod } from './pod.js';

/** How the containers of a pod behave on the lab's node. */
export const Behaviour = z.strictObject({
  /** `crash`: its process ends by itself; of a Job, it fails. `no-image`: its image cannot be pulled. */
  kind: z.enum(['run', 'never-ready', 'no-image', 'crash']).default('run'),
  /** From start to ready, in milliseconds. */
  readyAfterMs: z.int().nonnegative().default(0),
  /** From start to its end, in milliseconds: of a crash, and of a Job. */
  endsAfterMs: z.int().nonnegative().default(200),
  /** With which it ends by itself; 0 for a Job that succeeds. */
  exitCode: z.int().optional(),
  /** From SIGTERM to its end, in milliseconds; its grace period is the most. */
  stopAfterMs: z.int().nonnegative().default(0),
  /** Lines that it writes when it starts. */
  log: z.array(z.string()).readonly().default([]),
});
export type Behaviour = z.infer<typeof Behaviour>;

/** Pods of a rule: all that is given has to fit. */
export interface PodMatch {
  /** Tag of the image of its first container. */
  readonly tag?: string;
  /** Its image without the tag. */
  readonly repository?: string;
  /** Its label `app.kubernetes.io/component`. */
  readonly component?: string;
  readonly namespace?: string;
}

/** On a pod: a word such as `crash`, or a {@link Behaviour} in JSON. */
export const BEHAVIOUR_ANNOTATION = 'lab.temporal-upgrade/behaviour';

/** Rules by what pods are made of, so that a new version can misbehave while the old one is fine. */
export class Behaviours {
  private rules: { readonly match: PodMatch; readonly behaviour: Behaviour }[] = [];

  /** Pods that match behave so from now on; the rule that was given last counts. Without a behaviour its rules are gone. */
  set(match: PodMatch, behaviour: z.input<typeof Behaviour> | undefined): void {
    if (behaviour === undefined) {
      const key = JSON.stringify(match);
      this.rules = this.rules.filter((rule) => JSON.stringify(rule.match) !== key);
    } else {
      this.rules.push({ match, behaviour: Behaviour.parse(behaviour) });
    }
  }

  /** By rule, else by annotation. @throws ZodError when the annotation is neither a word nor a behaviour */
  of(pod: Pod): Behaviour {
    return this.rules.findLast(({ match }) => fits(pod, match))?.behaviour ?? annotated(pod);
  }
}

function fits(pod: Pod, { tag, repository, component, namespace }: PodMatch): boolean {
  const image = splitImage(pod.spec.containers[0]?.image ?? '');
  return (
    (tag === undefined || image.tag === tag) &&
    (repository === undefined || image.repository === repository) &&
    (component === undefined || pod.metadata.labels['app.kubernetes.io/component'] === component) &&
    (namespace === undefined || pod.metadata.namespace === namespace)
  );
}

function annotated(pod: Pod): Behaviour {
  const text = pod.metadata.annotations[BEHAVIOUR_ANNOTATION];
  if (text === undefined) return Behaviour.parse({});
  return Behaviour.parse(text.startsWith('{') ? JSON.parse(text) : { kind: text });
}
