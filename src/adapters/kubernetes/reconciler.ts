import type { Reconciler } from '../../core/survey/kubernetes-survey.js';
import type { DeploymentShape } from './shapes.js';

type Metadata = DeploymentShape['metadata'];

/** Labels and annotations that reconcilers mark their objects with, and the names under which they write. */
const MARKS: readonly (Pick<Reconciler, 'by' | 'always'> & { readonly key: RegExp })[] = [
  { by: 'Flux', always: true, key: /^kustomize\.toolkit\.fluxcd\.io\/name$/ },
  { by: 'Flux', always: false, key: /^helm\.toolkit\.fluxcd\.io\/name$/ },
  { by: 'Argo CD', always: false, key: /^argocd\.argoproj\.io\/(tracking-id|instance)$/ },
];
const MANAGERS: readonly (Pick<Reconciler, 'by' | 'always'> & { readonly name: RegExp })[] = [
  { by: 'Flux', always: true, name: /^kustomize-controller$/ },
  { by: 'Flux', always: false, name: /^helm-controller$/ },
  { by: 'Argo CD', always: false, name: /^argocd-(controller|application-controller)$/ },
];

/** What brings an object back to what stands in a repository, as far as the object tells. */
export function reconcilerOf(
  metadata: Pick<Metadata, 'labels' | 'annotations' | 'managedFields'>,
): Reconciler | undefined {
  const marks = { ...metadata.labels, ...metadata.annotations };
  for (const { by, always, key } of MARKS) {
    const found = Object.keys(marks).find((name) => key.test(name));
    if (found !== undefined) return { by, always, evidence: `${found}: ${marks[found] ?? ''}` };
  }
  for (const { by, always, name } of MANAGERS) {
    const found = metadata.managedFields.find(({ manager }) => name.test(manager));
    if (found !== undefined) return { by, always, evidence: `field manager ${found.manager}` };
  }
  return undefined;
}
