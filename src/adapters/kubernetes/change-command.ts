import { formatDuration } from '../../core/duration.js';
import { PreconditionError } from '../../core/errors.js';
import type { KubernetesChange } from '../../core/input/input.js';
import { fillPlaceholders } from '../../core/input/placeholders.js';
import { tagOfVersion } from '../../core/pods/images.js';
import { runCommand } from '../run-command.js';
import { readEnvironment } from '../secrets.js';
import type { Context } from './context.js';
import { waitForTemplate } from './wait-for-template.js';
import { nameOfWorkload, type Workload } from './workload.js';

export interface CommandChange {
  readonly workload: Workload;
  readonly version: string;
  readonly change: Extract<KubernetesChange, { by: 'command' }>;
}

/**
 * Runs the operator's command and waits until the API server shows the new version in the template, as when Argo CD or Flux has
 * applied what the command wrote.
 */
export async function changeByCommand(context: Context, { workload, version, change }: CommandChange): Promise<void> {
  const { input, work } = context;
  const [program = '', ...args] = change.command.map((text) =>
    fillPlaceholders(text, { role: workload.role, version, tag: tagOfVersion(version, input.images) }),
  );
  const { env, secrets } = await readEnvironment(change.environment);
  await runCommand(program, args, { env, secrets, timeoutMs: change.timeout, signal: work.signal });
  await waitForTemplate(context, workload, {
    version,
    timeoutMs: change.timeout,
    done: 'the command has run',
    onTimeout: () =>
      new PreconditionError(
        `the command for ${version} has run, and ${nameOfWorkload(workload)} does not show it after ${formatDuration(change.timeout)}; does your GitOps apply what it wrote?`,
        { workload: workload.name, version },
      ),
  });
}
