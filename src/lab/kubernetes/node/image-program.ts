import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Work } from '../../../adapters/store.js';
import { goEnvironment } from '../../../adapters/tools/go-command.js';
import { runCommand } from '../../../adapters/run-command.js';
import { messageOf, PreconditionError } from '../../../core/errors.js';
import { broughtOnce } from '../../brought-once.js';

/** What an image's shell scripts and dockerize do before the server, without a shell: an image then holds two programs and no more. */
const SOURCE = `// image is the first program of an image of the lab: image pause, or image serve.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/template"
)

const (
	folder = "/etc/temporal/config"
	server = "/usr/local/bin/temporal-server"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "pause" {
		stopped := make(chan os.Signal, 1)
		signal.Notify(stopped, syscall.SIGTERM, syscall.SIGINT)
		<-stopped
		return
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve fills the variables in and becomes the server.
func serve() error {
	env := map[string]string{}
	for _, one := range os.Environ() {
		name, value, _ := strings.Cut(one, "=")
		env[name] = value
	}
	named := template.FuncMap{"env": func(name string) string { return env[name] }}
	text, err := os.ReadFile(folder + "/config_template.yaml")
	if err != nil {
		return err
	}
	filled, err := template.New("config_template.yaml").Funcs(named).Parse(string(text))
	if err != nil {
		return err
	}
	file, err := os.OpenFile(folder+"/docker.yaml", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := filled.Execute(file, map[string]any{"Env": env}); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	args := []string{"temporal-server", "--root", "/", "--config", folder, "--env", "docker", "--allow-no-auth", "start"}
	for _, service := range strings.Split(env["SERVICES"], ",") {
		args = append(args, "--service="+strings.TrimSpace(service))
	}
	return syscall.Exec(server, args, os.Environ())
}
`;
/** To be raised with the source. */
const BUILD = 1;

/**
 * The program that images of the lab begin with, built with Go in seconds the first time. `pause` waits for SIGTERM; `serve` does what the
 * start script of Temporal's image does: it fills `{{ .Env.NAME }}` and `{{ env "NAME" }}` into config_template.yaml and becomes the
 * server, with the roles of SERVICES.
 * @throws PreconditionError when it cannot be built
 */
export async function findImageProgram(work: Work = {}): Promise<string> {
  const folder = await broughtOnce(`image-program-${BUILD}`, async (part) => {
    await writeFile(join(part, 'go.mod'), 'module labimage\ngo 1.21\n');
    await writeFile(join(part, 'main.go'), SOURCE);
    const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', 'image', '.'];
    await runCommand('go', args, { cwd: part, env: goEnvironment(), timeoutMs: 600_000, signal: work.signal });
    for (const source of ['go.mod', 'main.go']) await rm(join(part, source));
  }).catch((cause: unknown) => {
    throw new PreconditionError(
      `no program for images of the lab: it takes Go 1.21 or later (${messageOf(cause).slice(-300)})`,
      {},
      { cause },
    );
  });
  return join(folder, 'image');
}
