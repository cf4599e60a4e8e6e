import { readFile } from 'node:fs/promises';
import { LoadPolicy } from '../../core/input/input.js';
import { verifyLedger } from '../../load/verify-ledger.js';

// A process of its own, so that its memory is that of the verification alone. Prints what came of it as JSON.
const [ledgerFile = '', loadId = '', address = ''] = process.argv.slice(2);
const summary = await verifyLedger({
  connection: { address },
  policy: LoadPolicy.parse({}),
  ledgerFile,
  loadId,
  onProgress: (examined) => process.stderr.write(`${examined}\n`),
});
const peak = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1];
process.stdout.write(`${JSON.stringify({ summary, peakBytes: Number(peak) * 1_024 })}\n`);
