import type { Finding } from '../finding.js';
import type { KubernetesSurvey, WorkloadSurvey } from '../survey/kubernetes-survey.js';
import { listed } from './words.js';

/** Its grace period begins with the pre-stop hook, and pods that run keep the one with which they were made. */
export function stopFindings(
  { name, role, graceSeconds, hookSeconds, hasReadiness, readyByHealth }: WorkloadSurvey,
  stopSeconds: number,
): Finding[] {
  const found: Finding[] = [];
  const hook = typeof hookSeconds === 'number' ? hookSeconds : 0;
  if (graceSeconds - hook < stopSeconds) {
    found.push({
      id: 'grace-too-short',
      severity: 'warn',
      found: `a pod of ${name} is killed ${graceSeconds} s after it was told to stop${hook > 0 ? `, and ${hook} s of them go to its pre-stop hook` : ''}`,
      expected: `${stopSeconds + hook} s, as "driver.stopTimeout" says that it may take`,
      action:
        'Raise terminationGracePeriodSeconds and let its pods be made anew once before the roll-out: those that run keep the one that they have, and drain for no longer. Or lower "driver.stopTimeout" to it',
      source: 'terminationGracePeriodSeconds of its template',
    });
  }
  if (hookSeconds === 'unknown') {
    found.push({
      id: 'pre-stop-unknown',
      severity: 'note',
      found: `${name} has a pre-stop hook of which nobody knows here how long it takes; its server is told to stop only after it, within the same ${graceSeconds} s`,
      action: 'See that it leaves the server the time that it needs to drain',
      source: 'lifecycle.preStop of its container',
    });
  }
  if (hasReadiness && readyByHealth === false && role === 'frontend') {
    found.push({
      id: 'readiness-by-port',
      severity: 'note',
      found: `${name} is ready by something else than its gRPC health: clients meet a new pod as soon as its port is open, and one whose health fails goes on being ready until it is told to stop`,
      action: 'Give it a readinessProbe by grpc (service temporal.api.workflowservice.v1.WorkflowService)',
      source: 'readinessProbe of its container',
    });
  }
  return found;
}

/** Whose dynamic configuration cannot be changed while it runs; what stands in the way is the same for all of a role. */
export function unsetNodes({ unset = { seen: [] } }: KubernetesSurvey): Finding[] {
  if ('unseen' in unset) {
    const found = `where the dynamic configuration of the pods is could not be looked at: ${unset.unseen}`;
    return [{ id: 'settings-unseen', severity: 'note', found, source: 'API server of the Kubernetes cluster' }];
  }
  return [...Map.groupBy(unset.seen, ({ reason }) => reason)].map(([reason, same]): Finding => ({
    id: 'settings-not-written',
    severity: 'warn',
    found: `no setting with which servers drain can be written for ${listed(same.map(({ node }) => node))}: ${reason}`,
    expected: 'a ConfigMap of dynamic configuration that this worker may change and running pods see change',
    action: 'They stop by what stands there, by default without draining: mend it, or set there what the plan would',
    source: 'docs/kubernetes.md',
  }));
}
