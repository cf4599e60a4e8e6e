import type { Command } from 'commander';
import { withOutput } from './options.js';
import { runCommandLine } from './output.js';
import type { InitOptions } from './actions/init-answers.js';

/** `init`: looks at a cluster and writes the file that describes it; or makes a roll-out of two such files. Changes nothing else. */
export function addInitCommand(program: Command): void {
  const command = program
    .command('init')
    .description('write a target file from a look at a cluster, or a roll-out of two of them; asks on a terminal')
    .option('--name <name>', 'what people call the cluster')
    .option('--address <host:port>', 'a frontend of it, or the balancer before them')
    .option('--profile <name>', 'a profile of temporal.toml that leads there, in place of --address')
    .option('--tls', 'TLS, with the certificate authorities of the system')
    .option('--tls-ca-path <file>', 'TLS, with this certificate authority')
    .option('--tls-cert-path <file>', 'certificate of the client')
    .option('--tls-key-path <file>', 'its key')
    .option('--tls-server-name <name>', 'name in the certificate of the server')
    .option('--api-key-env <name>', 'variable of the worker that holds an API key')
    .option('--kube-namespace <name>', 'a cluster in Kubernetes: namespace of its servers')
    .option('--release <name>', 'its release of the chart, or its TemporalCluster; the only one there when left out')
    .option('--kubeconfig <file>', 'how its API server is reached; as kubectl does when left out')
    .option('--kube-context <name>', 'context of that file; the current one when left out')
    .option('--backup-dir <folder>', 'where backups of it go')
    .option('--staging <file>', 'with --live and --to: target file of staging')
    .option('--live <file>', 'target file of live')
    .option('--to <version>', 'minor or version to reach')
    .option('--write <file>', 'the file to write; NAME.yaml or rollout.yaml when left out')
    .option('--force', 'replace a file that is there', false);
  withOutput(command).action((options: InitOptions) =>
    runCommandLine(options.output, async () => (await import('./actions/init.js')).init(options)),
  );
}
