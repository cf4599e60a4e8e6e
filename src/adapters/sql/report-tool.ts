import { messageOf } from '../../core/errors.js';
import type { Work } from '../store.js';

const PROGRESS_MS = 2_000;

/**
 * Says every few seconds what the schema tool is doing, by `describe`; that also keeps the connection that holds the lock awake. The
 * function that is returned ends it.
 */
export function reportTool(describe: () => Promise<string | undefined>, { onProgress }: Work): () => void {
  let asking = false;
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    describe()
      .then((text) => onProgress?.(text ?? 'the schema tool is between two statements'))
      .catch((error: unknown) => onProgress?.(`the schema tool is at work; the database says: ${messageOf(error)}`))
      .finally(() => {
        asking = false;
      });
  }, PROGRESS_MS);
  return () => clearInterval(timer);
}
