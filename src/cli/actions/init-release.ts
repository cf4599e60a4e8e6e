import { resolve } from 'node:path';
import { describeRelease, type DescribedRelease } from '../../describing.js';
import { shellWord } from '../../report/escape.js';
import { withQuestions } from './ask.js';
import { connectionOf, type InitOptions, leftLines, namesOf } from './init-answers.js';
import { print } from '../output.js';

/** Whether a flag says that the cluster is in Kubernetes. */
export function isInKubernetes({ kubeNamespace, release, kubeconfig, kubeContext }: InitOptions): boolean {
  return [kubeNamespace, release, kubeconfig, kubeContext].some((one) => one !== undefined);
}

/** Looks at a release in Kubernetes, writes the file of its target, and says what is left to do. */
export async function initRelease(options: InitOptions): Promise<void> {
  const { kubeconfig, kubeContext: context, release, force } = options;
  const { namespace, ...answers } = await withQuestions(options, async (ask) => {
    const asked = options.kubeNamespace ?? (await ask('--kube-namespace', 'namespace of its servers in Kubernetes'));
    const connection = saysHow(options) ? await connectionOf(options, ask) : undefined;
    return { namespace: asked, connection, ...(await namesOf(options, ask)) };
  });
  const place = { namespace, release, context, kubeconfig: kubeconfig === undefined ? undefined : resolve(kubeconfig) };
  const file = options.write ?? `${answers.name}.yaml`;
  const described = await describeRelease(answers, place, { file, replace: force });
  const next = [`temporal-upgrade doctor --target ${shellWord(file)}`];
  const lines = [...releaseLines(described), ...next.map((line) => `  ${line}`)];
  print(options.output, { ...described, next }, lines.join('\n'));
}

/** Whether a flag says how clients reach it; else it is looked up. */
function saysHow({ address, profile, tls, tlsCaPath, tlsCertPath, tlsKeyPath, tlsServerName, apiKeyEnv }: InitOptions) {
  const given = [address, profile, tls, tlsCaPath, tlsCertPath, tlsKeyPath, tlsServerName, apiKeyEnv];
  return given.some((one) => one !== undefined);
}

function releaseLines(described: DescribedRelease): string[] {
  const { file, release, namespace, versions, shards, pods, change } = described;
  const what = [versions.join(' and ') || 'version not known', ...(shards === undefined ? [] : [`${shards} shards`])];
  return [
    `written to ${file}: release ${release} in namespace ${namespace}, ${what.join(', ')}, ${pods} pods; new versions by ${change}`,
    ...leftLines(described),
  ];
}
