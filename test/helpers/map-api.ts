import { ApiError } from '../../src/adapters/kubernetes/api-error.js';
import type { KubeApi } from '../../src/adapters/kubernetes/api.js';

/**
 * An API server with two pods and the ConfigMap of their dynamic configuration, in memory: logs that tell at a given moment, and a writer
 * who comes in between, cannot be had of pods that only pretend. test/real/kubernetes-settings.test.ts has the real one.
 */

const CONFIG = 'dynamicConfigClient: { filepath: /etc/dynamic/dynamic_config.yaml, pollInterval: 10ms }';
const MADE = '2026-11-30T12:00:00Z';

export interface MapApi extends KubeApi {
  content: string;
  annotations: Record<string, string>;
  /** Called before each patch; what it throws the patch throws. */
  beforePatch: (count: number) => void;
  /** Lines that the server of a pod has written. */
  logs: Record<string, string[]>;
  patches: number;
  /** Somebody else writes the text. */
  write(text: string): void;
}

export function mapApi(text: string, { running = true } = {}): MapApi {
  let version = 1;
  const spec = (role: string) => ({
    containers: [
      {
        name: `temporal-${role}`,
        image: 'temporalio/server:1.30.7',
        volumeMounts: [
          { name: 'config', mountPath: '/etc/config' },
          { name: 'dynamic', mountPath: '/etc/dynamic' },
        ],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: 'config' } },
      { name: 'dynamic', configMap: { name: 'dynamic' } },
    ],
  });
  const metadata = (name: string, more: object = {}) => ({ name, uid: name, creationTimestamp: MADE, ...more });
  const labels = (role: string) => ({ 'app.kubernetes.io/component': role });
  const roles = ['frontend', 'history', 'matching', 'worker'];
  const deployments = roles.map((role) => ({
    metadata: metadata(`temporal-${role}`, { labels: labels(role) }),
    spec: {
      replicas: role === 'frontend' || role === 'history' ? 1 : 0,
      strategy: { type: 'RollingUpdate' },
      selector: { matchLabels: { role } },
      template: { spec: spec(role) },
    },
  }));
  const podOf = (role: string) => ({
    metadata: metadata(`${role}-pod`),
    spec: spec(role),
    status: {
      phase: 'Running',
      podIP: '10.0.0.9',
      containerStatuses: [{ name: `temporal-${role}`, state: running ? { running: { startedAt: MADE } } : {} }],
    },
  });

  const api: MapApi = {
    content: text,
    annotations: {},
    beforePatch: () => undefined,
    logs: {},
    patches: 0,
    write(other) {
      api.content = other;
      version += 1;
    },
    get: (path, query) => {
      if (path.endsWith('/deployments')) return Promise.resolve({ metadata: {}, items: deployments });
      if (path.endsWith('/statefulsets')) return Promise.resolve({ metadata: {}, items: [] });
      if (path.endsWith('/pods')) {
        const role = String(query?.['labelSelector']).replace('role=', '');
        return Promise.resolve({ metadata: {}, items: ['frontend', 'history'].includes(role) ? [podOf(role)] : [] });
      }
      if (path.endsWith('/configmaps/config'))
        return Promise.resolve({ metadata: metadata('config'), data: { 'config_template.yaml': CONFIG } });
      return Promise.resolve({
        metadata: metadata('dynamic', { resourceVersion: String(version), annotations: { ...api.annotations } }),
        data: { 'dynamic_config.yaml': api.content },
      });
    },
    text: (path) => Promise.resolve((api.logs[/pods\/(\w+)-pod\/log/.exec(path)?.[1] ?? ''] ?? []).join('\n')),
    post: () => Promise.resolve({ status: { allowed: true } }),
    patch: (_path, body) => {
      api.patches += 1;
      api.beforePatch(api.patches);
      const { metadata: changed, data = {} } = body as {
        metadata: { resourceVersion?: string; annotations?: Record<string, string | null> };
        data?: Record<string, string>;
      }; // as this tool writes it
      if (changed.resourceVersion !== String(version))
        return Promise.reject(new ApiError(409, 'Conflict', 'the object has been modified'));
      version += 1;
      for (const [name, value] of Object.entries(changed.annotations ?? {})) {
        if (value === null) Reflect.deleteProperty(api.annotations, name);
        else api.annotations[name] = value;
      }
      api.content = data['dynamic_config.yaml'] ?? api.content;
      return Promise.resolve({});
    },
    delete: () => Promise.resolve(),
    watch: () => Promise.resolve(),
  };
  return api;
}
