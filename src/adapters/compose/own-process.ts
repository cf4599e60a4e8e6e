import { readFile } from 'node:fs/promises';
import type { Container } from './container.js';

/**
 * Process id of a container's server, where its engine runs on this very host: elsewhere the id is that of any other process. The
 * control group of a process bears the id of its container, or its mounts do (control groups of version 2 with a view of its own).
 */
export async function ownProcess({ pid, id }: Pick<Container, 'pid' | 'id'>): Promise<number | undefined> {
  if (pid === 0) return undefined;
  for (const file of ['cgroup', 'mountinfo']) {
    const text = await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    if (text.includes(id)) return pid;
  }
  return undefined;
}
