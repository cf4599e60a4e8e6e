import { z } from 'zod';
import { Duration } from '../duration.js';
import { FilePath, SecretRef, Tls } from './fields.js';
import { placeholderProblem, type TemplateRule } from './placeholders.js';

/** Fields that the inputs of several drivers share. */

export const AbsolutePath = FilePath.startsWith('/', 'expected an absolute path');

/** What a target has whatever its driver. */
export const timing = {
  internodeTls: Tls.optional().describe('TLS between the roles, where the target has it.'),
  stopTimeout: Duration.prefault(120_000).describe('How long a process may take to stop before it is killed.'),
  startTimeout: Duration.prefault(180_000).describe('How long a process may take until it is SERVING.'),
};

export const Environment = z
  .record(z.string(), z.union([z.string(), SecretRef]))
  .default({})
  .describe('What the server gets beside the PATH and HOME of the worker.');

/** A program and its arguments, with placeholders. */
export function commandTemplate(rule: TemplateRule) {
  const message = 'expected a list of the program and its arguments, such as ["ssh", "{host}", "systemctl", "stop"]';
  return z
    .array(z.string(), message)
    .min(1, message)
    .superRefine((texts, context) => {
      if (texts[0] === '') context.addIssue({ code: 'custom', path: [0], message: 'expected a program' });
      const problem = placeholderProblem(texts, rule);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    });
}

/** A check of the placeholders of one text. */
export function reportPlaceholders(rule: TemplateRule) {
  return (text: string, context: z.RefinementCtx): void => {
    const problem = placeholderProblem([text], rule);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  };
}
