import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import { scrape } from '../../../src/adapters/cluster/metrics-scrape.js';

test('a page is asked for as it is: nobody is to compress it while clients wait', async () => {
  const asked: (string | undefined)[] = [];
  const page = createServer((request, response) => {
    asked.push(request.headers['accept-encoding']);
    response.end('num_goroutines 5\n');
  });
  page.listen(0, '127.0.0.1');
  await once(page, 'listening');
  try {
    const { port } = page.address() as { port: number };
    expect(await scrape(`127.0.0.1:${port}`)).toBe('num_goroutines 5\n');
    expect(asked).toEqual(['identity']);
  } finally {
    page.closeAllConnections();
    page.close();
  }
});
