import type { Work } from '../../../adapters/store.js';
import { findKubernetesProgram } from '../build-kubernetes.js';

/** Its own program: only a real node needs it, and it compiles much that nothing else of the lab does. */
const SOURCE = `// kubelet is that of Kubernetes, as it is.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	os.Exit(cli.Run(kubelet.NewKubeletCommand()))
}
`;

/** Kubernetes' kubelet, built from the Go module proxy into the cache the first time. @throws PreconditionError when it cannot be built */
export function findKubelet(work: Work = {}): Promise<string> {
  return findKubernetesProgram({ name: 'kubelet', source: SOURCE, asked: ['--version'] }, work);
}
