import { RequestError } from '../../core/request-error.js';
import { parseTarget } from '../../core/input/input.js';
import type { StoreKind } from '../../core/plan.js';
import { isServerVersion } from '../../core/version.js';
import { readInputFile } from '../../input-file.js';
import { checkOffline } from '../../planning-offline.js';
import { findingsText } from '../../report/findings.js';
import { findingJson } from '../../report/plan.js';
import { exitCodeOf } from '../exit-codes.js';
import type { CommonOptions } from '../options.js';
import { print } from '../output.js';

export interface CheckOptions extends Pick<CommonOptions, 'output'> {
  readonly from?: string;
  readonly target?: string;
  readonly store: StoreKind;
  readonly visibility?: StoreKind;
  readonly explain: boolean;
}

/** Prints what there is to say of a version. @throws RequestError, PreconditionError */
export async function check(options: CheckOptions): Promise<void> {
  const { output, explain } = options;
  const { version, findings } = await answer(options);
  print(output, { version, findings: findings.map(findingJson) }, findingsText(`server ${version}`, findings, explain));
  process.exitCode = exitCodeOf(findings);
}

async function answer({ from, target, store, visibility = store }: CheckOptions) {
  if ((from === undefined) === (target === undefined)) {
    throw new RequestError('give one of these: --from for a version, --target for a cluster that runs');
  }
  if (target !== undefined) {
    // Loaded here: what looks at clusters is heavy, and a version alone is told of without it.
    const { checkTarget } = await import('../../planning.js');
    return checkTarget(parseTarget(await readInputFile(target)));
  }
  if (from === undefined || !isServerVersion(from)) {
    throw new RequestError(`--from is "${from ?? ''}", expected a version in full such as 1.27.3`);
  }
  return { version: from, findings: await checkOffline(from, { default: store, visibility }) };
}
