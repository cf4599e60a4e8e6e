import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A program in a real pseudo-terminal, that of tmux, as a person sees it. */
export class Terminal {
  private constructor(private readonly socket: string) {}

  /** Starts `command` in a terminal of that size; it stays when the program has ended. */
  static async start(
    command: readonly string[],
    { columns = 80, rows = 50, env = {} }: { columns?: number; rows?: number; env?: Record<string, string> } = {},
  ): Promise<Terminal> {
    const terminal = new Terminal(`temporal-upgrade-${randomUUID()}`);
    const size = ['-x', String(columns), '-y', String(rows)];
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const line = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    // -f: no configuration of whoever runs the tests.
    await terminal.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      ...size,
      ...variables,
      `${line}; echo "[ended $?]"; sleep 600`,
    );
    return terminal;
  }

  /** What is on the screen now. */
  async screen(): Promise<string> {
    return (await this.#tmux('capture-pane', '-p')).trimEnd();
  }

  /** What is on the screen now, with the sequences that colour it. */
  colours(): Promise<string> {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** The screen, once it shows `text`. @throws Error with the last screen when it never does */
  async until(text: string | RegExp): Promise<string> {
    const deadline = Date.now() + 40_000;
    for (;;) {
      const screen = await this.screen();
      if (typeof text === 'string' ? screen.includes(text) : text.test(screen)) return screen;
      if (Date.now() > deadline) throw new Error(`the terminal never showed ${String(text)}:\n${screen}`);
      await sleep(200);
    }
  }

  /** Types a line. */
  async type(line: string): Promise<void> {
    await this.#tmux('send-keys', '-l', line);
    await this.#tmux('send-keys', 'Enter');
  }

  /** Presses keys one after the other, as they come, without an Enter; `Tab` and the like by name. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#tmux('send-keys', key);
  }

  async stop(): Promise<void> {
    await this.#tmux('kill-server').catch(() => undefined); // it has ended already
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('tmux', ['-L', this.socket, ...args]);
    return stdout;
  }
}
