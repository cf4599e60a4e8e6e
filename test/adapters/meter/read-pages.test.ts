import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import { readPages } from '../../../src/adapters/meter/read-pages.js';
import { parseTarget } from '../../../src/core/input/input.js';
import { parseMetrics } from '../../../src/core/measuring/metrics.js';
import { reducePage } from '../../../src/core/measuring/series.js';
import { targetText } from '../../helpers/rollout-input.js';

/** Lines of all kinds; the last one has no line break. */
const PAGE = `# HELP service_requests service_requests counter
# TYPE service_requests counter
service_requests{operation="StartWorkflowExecution",service_name="frontend"} 7
service_requests{operation="Check",service_name="frontend"} 100
service_requests_of_mine{operation="StartWorkflowExecution"} 9

some_service_error_with_type{error_type="x"} 4
 service_errors{operation="indented, which nobody writes"} 3
build_information{build_version="1_31_2"} 1
restarts 1
persistence_requests{operation="GetWorkflow"} 12
persistence_requests{operation="UpdateShard"} 30
num_goroutines 512`;

const REAL = await readFile(new URL('../../fixtures/metrics-1.29.1-after.txt', import.meta.url), 'utf8');

test.each([
  ['one with lines of all kinds', PAGE],
  ['that of a server', REAL],
])('of a page is kept what the whole of it says: %s', async (_, text) => {
  const page = createServer((_request, response) => response.end(text));
  page.listen(0, '127.0.0.1');
  await once(page, 'listening');
  try {
    const { port } = page.address() as { port: number };
    const node = { name: 'frontend-1', role: 'frontend', rpcAddress: '127.0.0.1:1', running: true } as const;
    const nodes = [{ ...node, metricsAddress: `127.0.0.1:${port}` }];
    const pages = await readPages(parseTarget(targetText('staging')), nodes, { timeoutMs: 5_000, beatMs: 1_000 });
    const lines = text.split('\n').filter((line) => !line.startsWith(' '));
    expect(pages.get('frontend-1')).toEqual({ reading: reducePage(parseMetrics(lines.join('\n'))) });
  } finally {
    page.closeAllConnections();
    page.close();
  }
});
