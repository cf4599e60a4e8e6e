import { join } from 'node:path';
import type { Certificates } from '../certificates.js';

const HOST = '127.0.0.1';

/** Where a Kubernetes of the lab is. */
export interface ControlPlanePlace {
  readonly directory: string;
  readonly kubeconfig: string;
  readonly certificates: Certificates;
  /** Whether it keeps a log of who asks what. */
  readonly audited: boolean;
  readonly ports: Readonly<Record<'etcd' | 'peer' | 'api' | 'manager' | 'scheduler', number>>;
}

/** Files of a control plane, by what they are for. */
export function filesOf(directory: string) {
  return {
    tokens: join(directory, 'tokens.csv'),
    accountKey: join(directory, 'service-account.key'),
    accountPublicKey: join(directory, 'service-account.pub'),
    auditPolicy: join(directory, 'audit-policy.yaml'),
    auditLog: join(directory, 'audit.log'),
  } as const;
}

/** Of a single member. */
export function etcdArguments({ directory, ports }: ControlPlanePlace): string[] {
  const [clients, peers] = [`http://${HOST}:${ports.etcd}`, `http://${HOST}:${ports.peer}`];
  return [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
    '--logger=zap',
    '--log-level=error',
  ];
}

/** With RBAC, and one user of a token who may do all. */
export function apiServerArguments({ directory, ports, certificates, audited }: ControlPlanePlace): string[] {
  const files = filesOf(directory);
  return [
    'kube-apiserver',
    `--etcd-servers=http://${HOST}:${ports.etcd}`,
    `--bind-address=${HOST}`,
    `--secure-port=${ports.api}`,
    '--advertise-address=192.0.2.1', // must not be of this host itself; nobody uses it, as no Endpoints are written
    '--endpoint-reconciler-type=none',
    `--tls-cert-file=${certificates.serverCert}`,
    `--tls-private-key-file=${certificates.serverKey}`,
    `--token-auth-file=${files.tokens}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${files.accountPublicKey}`,
    `--service-account-signing-key-file=${files.accountKey}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--enable-priority-and-fairness=false',
    '--allow-privileged=true',
    ...(audited ? [`--audit-policy-file=${files.auditPolicy}`, `--audit-log-path=${files.auditLog}`] : []),
  ];
}

/** Without what only clouds and real nodes need. */
export function managerArguments(place: ControlPlanePlace): string[] {
  const { directory, ports, certificates } = place;
  const unused = ['bootstrapsigner', 'tokencleaner', 'nodeipam', 'node-route-controller', 'service-lb-controller'];
  return [
    'kube-controller-manager',
    `--controllers=${['*', ...unused.map((name) => `-${name}`)].join(',')}`,
    `--service-account-private-key-file=${filesOf(directory).accountKey}`,
    `--root-ca-file=${certificates.ca}`,
    // The stand-in of a node runs in the process of a test: on a machine that does much else it is silent for longer than the
    // usual 50 s, and all pods would be taken for lost.
    '--node-monitor-grace-period=1h',
    ...sole(place, ports.manager),
  ];
}

/** With Kubernetes' own defaults. */
export function schedulerArguments(place: ControlPlanePlace): string[] {
  return ['kube-scheduler', ...sole(place, place.ports.scheduler)];
}

function sole({ kubeconfig, certificates }: ControlPlanePlace, port: number): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    `--bind-address=${HOST}`,
    `--secure-port=${port}`,
    `--tls-cert-file=${certificates.serverCert}`,
    `--tls-private-key-file=${certificates.serverKey}`,
  ];
}
