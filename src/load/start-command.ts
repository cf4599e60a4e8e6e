import { z } from 'zod';
import type { OwnWorkflow } from '../core/input/input.js';

/**
 * Where and how an entry of the ledger is started. Written into the ledger beside its entries, so that they are verified
 * by what they were started with, whatever the profile says by then.
 */
export const StartCommand = z.strictObject({
  namespace: z.string(),
  taskQueue: z.string(),
  /** For the operator's own workflows. */
  own: z.strictObject({ workflowType: z.string(), arguments: z.array(z.json()), endsWithinMs: z.number() }).optional(),
});
export type StartCommand = z.infer<typeof StartCommand>;

/** The same text for the same command. */
export function textOf(command: StartCommand): string {
  return JSON.stringify(StartCommand.parse(command));
}

/** @throws when the text is not that of a command */
export function commandOf(text: unknown): StartCommand {
  return StartCommand.parse(JSON.parse(String(text)));
}

/** Task queue on the target that the load's own worker polls. */
export function canaryTaskQueueOf(loadId: string): string {
  return `canary-${loadId}`;
}

/** Task queue of the worker that keeps no workflow in its cache. */
export function uncachedTaskQueueOf(loadId: string): string {
  return `canary-${loadId}-uncached`;
}

/** Task queue of the worker that does simple canaries alone. */
export function simpleTaskQueueOf(loadId: string): string {
  return `canary-${loadId}-simple`;
}

/** How long canaries and everything else that belongs to `namespace` of the load are started. */
export function canaryCommand(namespace: string, loadId: string): StartCommand {
  return { namespace, taskQueue: canaryTaskQueueOf(loadId) };
}

export function ownCommand(own: OwnWorkflow): StartCommand {
  const { namespace, taskQueue, workflowType, endsWithin } = own;
  return { namespace, taskQueue, own: { workflowType, arguments: own.arguments, endsWithinMs: endsWithin } };
}
