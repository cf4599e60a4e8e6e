import { pathToFileURL } from 'node:url';
import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';

/** What a real Chromium made of a file of HTML. */
export interface OpenedPage {
  /** Addresses that it asked for, its own left out. */
  readonly requests: readonly string[];
  /** What its console and its content policy complained of. */
  readonly problems: readonly string[];
  /** For each picture, how many shapes it draws. */
  readonly pictures: readonly number[];
  /** Pixels by which the page is wider than its window, by the width of the window. */
  readonly overflow: Readonly<Record<number, number>>;
  readonly text: string;
}

const WIDTHS = [1_400, 600];

/** Opens a file; writes a picture of it for each of two widths, light and dark, where `screenshots` names a folder. */
export async function openPage(file: string, { screenshots }: { screenshots?: string } = {}): Promise<OpenedPage> {
  const own = pathToFileURL(file).href;
  const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args });
  try {
    const page = await browser.newPage();
    const requests: string[] = [];
    const problems: string[] = [];
    page.on('request', (request) => void (request.url() === own || requests.push(request.url())));
    page.on('console', (message) => void problems.push(message.text()));
    page.on('pageerror', (error) => void problems.push(error.message));
    await page.goto(own);
    const overflow: Record<number, number> = {};
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 1_000 });
      overflow[width] = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
      if (screenshots === undefined) continue;
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: `${screenshots}/report-${width}-${colorScheme}.png`, fullPage: true });
      }
    }
    const shapes = `[...document.querySelectorAll('figure svg')].map((svg) => svg.querySelectorAll('path, polyline').length)`;
    return {
      requests,
      problems,
      pictures: await page.evaluate<number[]>(shapes),
      overflow,
      text: await page.innerText('body'),
    };
  } finally {
    await browser.close();
  }
}
