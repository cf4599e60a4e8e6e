import { writeFile } from 'node:fs/promises';
import { reportOf, resultSoFar, withControlPlane } from '../../client.js';
import { reportMarkdown } from '../../report/report-markdown.js';
import type { CommonOptions } from '../options.js';
import { print } from '../output.js';

export interface ReportOptions extends CommonOptions {
  readonly html?: string;
}

/** Prints what a roll-out has done until now, or writes the page of it. @throws RequestError */
export async function report(workflowId: string, options: ReportOptions): Promise<void> {
  const { html, output } = options;
  if (html === undefined && output === 'text') {
    const soFar = await withControlPlane(options, (client) => resultSoFar(client, workflowId));
    print(output, {}, reportMarkdown(soFar));
    return;
  }
  const data = await withControlPlane(options, (client) => reportOf(client, workflowId));
  if (html !== undefined) {
    // Loaded here: the charts are heavy.
    const { reportPage } = await import('../../page/report-page.js');
    await writeFile(html, reportPage(data));
  }
  print(output, data, `written to ${html}`);
}
