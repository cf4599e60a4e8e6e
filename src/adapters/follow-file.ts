import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const CHUNK = 1024 * 1024;
const LOOK_AGAIN_MS = 50;

/** What is in a file while another program writes it, from its beginning until `hasEnded` says that no more will come. */
export async function* followFile(file: string, hasEnded: () => boolean): AsyncGenerator<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    for (;;) {
      const isLast = hasEnded(); // asked before the read: what was written until then is read by it
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK);
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
      else if (isLast) return;
      else await sleep(LOOK_AGAIN_MS);
    }
  } finally {
    await handle.close();
  }
}
