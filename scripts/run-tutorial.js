// Runs the commands of docs/tutorial.md as a reader would, one after the other in one shell; the first that fails ends it.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { clearTimeout, setTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const text = readFileSync(`${root}docs/tutorial.md`, 'utf8');
const blocks = [...text.matchAll(/^```bash\n([\s\S]*?)^```$/gm)].map(([, block]) => block);
const script = [
  'set -euo pipefail',
  // Whatever happens, nothing is left running.
  "trap 'kill $(jobs -p) 2>/dev/null || true; wait; make --silent tutorial-stop' EXIT",
  ...blocks.map(
    (block) =>
      `cat <<'BLOCK_OF_THE_TUTORIAL'\n\n${block.trimEnd().replaceAll(/^/gm, '$ ')}\nBLOCK_OF_THE_TUTORIAL\n${block}`,
  ),
].join('\n');
const child = spawn('bash', ['-c', script], { cwd: root, stdio: 'inherit' });
// A roll-out that has stopped would be waited for by its reader, who sees why.
const limit = setTimeout(() => child.kill('SIGTERM'), 40 * 60_000);
// The shell ends what it has started; this waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
  clearTimeout(limit);
  console.log(code === 0 ? `tutorial: ${blocks.length} steps done` : `tutorial: ended with exit code ${code}`);
  process.exitCode = code ?? 1;
});
