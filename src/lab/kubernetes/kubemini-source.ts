/** The program's Go source: Kubernetes' own commands in one binary, which share nearly all that is compiled. */
export const MAIN_GO = `// kubemini runs a component of Kubernetes: kubemini kube-apiserver --flag …
package main

import (
	"fmt"
	"os"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	os.Args = os.Args[1:]
	switch os.Args[0] {
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(manager.NewControllerManagerCommand()))
	case "kube-scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	default:
		usage()
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: kubemini kube-apiserver|kube-controller-manager|kube-scheduler [flags]")
	os.Exit(2)
}
`;

/**
 * The `go.mod` of a program that imports Kubernetes `version`, made of Kubernetes' own: its staging modules stand there as
 * folders of its source, and are published as v0 with the same minor and patch.
 * @throws Error when `kubernetesGoMod` names no Go version, or no staging module
 */
export function goModOf(kubernetesGoMod: string, version: string): string {
  const go = /^go .+$/m.exec(kubernetesGoMod)?.[0];
  const staging = [...kubernetesGoMod.matchAll(/^\s*(k8s\.io\/[a-z0-9-]+) => \.\/staging\//gm)].map(([, name]) => name);
  if (go === undefined || staging.length === 0) {
    throw new Error(`the go.mod of Kubernetes ${version} has no "go" line or no staging modules; expected both`);
  }
  const published = version.replace(/^1\./, 'v0.');
  return [
    'module kubemini',
    go,
    ...(/^godebug .+$/m.exec(kubernetesGoMod) ?? []),
    `require k8s.io/kubernetes v${version}`,
    'replace (',
    ...[...new Set(staging)].sort().map((name) => `\t${name} => ${name} ${published}`),
    ')',
    '',
  ].join('\n');
}

/** Linker flags: small, and with the version that the API server then says it is. */
export function linkerFlags(version: string): string {
  const [major = '', minor = ''] = version.split('.');
  const values = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor };
  return [
    '-s',
    '-w',
    ...Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`),
  ].join(' ');
}
