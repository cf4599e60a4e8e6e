import { formatDuration } from '../../core/duration.js';
import { PreconditionError } from '../../core/errors.js';
import type { KubernetesChange } from '../../core/input/input.js';
import { fillPlaceholders } from '../../core/input/placeholders.js';
import { tagOfVersion } from '../../core/pods/images.js';
import { runCommand } from '../run-command.js';
import { readEnvironment } from '../secrets.js';
import type { Context } from './context.js';
import { DeploymentShape, StatefulSetShape } from './shapes.js';
import { watchList } from './watch-list.js';
import { asWorkload, nameOfWorkload, type Workload } from './workload.js';

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
  const { api, input, work } = context;
  const [program = '', ...args] = change.command.map((text) =>
    fillPlaceholders(text, { role: workload.role, version, tag: tagOfVersion(version, input.images) }),
  );
  const { env, secrets } = await readEnvironment(change.environment);
  await runCommand(program, args, { env, secrets, timeoutMs: change.timeout, signal: work.signal });
  const isDeployment = workload.shape.kind === 'Deployment';
  await watchList(
    api,
    {
      path: `/apis/apps/v1/namespaces/${input.namespace}/${isDeployment ? 'deployments' : 'statefulsets'}`,
      query: { fieldSelector: `metadata.name=${workload.name}` },
      shape: isDeployment ? DeploymentShape : StatefulSetShape,
      look: ([found]) => {
        const present = found && asWorkload(found, workload.role, input);
        if (present?.version === version) return true;
        work.onProgress?.(`the command has run; ${nameOfWorkload(workload)} is to show ${version}`);
        return undefined;
      },
      timeoutMs: change.timeout,
      onTimeout: () =>
        new PreconditionError(
          `the command for ${version} has run, and ${nameOfWorkload(workload)} does not show it after ${formatDuration(change.timeout)}; does your GitOps apply what it wrote?`,
          { workload: workload.name, version },
        ),
    },
    work,
  );
}
