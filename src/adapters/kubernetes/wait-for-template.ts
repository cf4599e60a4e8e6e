import type { PreconditionError } from '../../core/errors.js';
import type { Context } from './context.js';
import { DeploymentShape, StatefulSetShape } from './shapes.js';
import { watchList } from './watch-list.js';
import { asWorkload, nameOfWorkload, type Workload } from './workload.js';

/** Until when a template is waited for, and what is said meanwhile. */
export interface TemplateWait {
  readonly version: string;
  readonly timeoutMs: number;
  /** What was done, and is to be seen in the template: `the command has run`. */
  readonly done: string;
  readonly onTimeout: () => PreconditionError | Promise<PreconditionError>;
}

/** Waits until the API server shows a version in the template of a workload that somebody else writes. @throws what `onTimeout` gives */
export async function waitForTemplate(
  { api, input, work }: Context,
  workload: Workload,
  { version, timeoutMs, done, onTimeout }: TemplateWait,
): Promise<void> {
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
        work.onProgress?.(`${done}; ${nameOfWorkload(workload)} is to show ${version}`);
        return undefined;
      },
      timeoutMs,
      onTimeout,
    },
    work,
  );
}
