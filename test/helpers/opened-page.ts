import { pathToFileURL } from 'node:url';
import chromium from '@sparticuz/chromium';
import { chromium as playwright, type Page } from 'playwright-core';

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
  readonly printed: Printed;
}

/** How it comes out on paper. */
export interface Printed {
  /** Begins of tables and captions of pictures that are wider than the paper. */
  readonly cut: readonly string[];
  /** What stays folded there, where nobody can open it. */
  readonly folded: readonly string[];
  /** Of the letters in tables, in points. */
  readonly smallestPoints: number;
  readonly pages: number;
}

const WIDTHS = [1_400, 600];
/** A4 with margins of a centimetre, at the 96 pixels an inch that CSS counts with. */
const PAPER = { width: 718, height: 1_047 };
const POINTS_PER_PIXEL = 0.75;

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
      printed: await print(page, screenshots),
    };
  } finally {
    await browser.close();
  }
}

async function print(page: Page, folder: string | undefined): Promise<Printed> {
  await page.emulateMedia({ media: 'print', colorScheme: 'light' });
  await page.setViewportSize(PAPER);
  const textsOf = (selector: string, condition: string) =>
    page.evaluate<string[]>(
      `[...document.querySelectorAll('${selector}')].filter((one) => ${condition}).map((one) => one.innerText.slice(0, 60))`,
    );
  const cut = await textsOf('table, figure', 'one.getBoundingClientRect().right > innerWidth + 1');
  const folded = await textsOf('details', 'one.lastElementChild.getBoundingClientRect().height === 0');
  const sizes = `[...document.querySelectorAll('td')].map((one) => parseFloat(getComputedStyle(one).fontSize))`;
  const smallest = Math.min(...(await page.evaluate<number[]>(sizes)));
  const margin = { top: '1cm', right: '1cm', bottom: '1cm', left: '1cm' };
  const path = folder === undefined ? undefined : `${folder}/report.pdf`;
  const pdf = await page.pdf({ format: 'A4', margin, ...(path === undefined ? {} : { path }) });
  // Skia writes each page as an object of its own, not packed.
  const pages = [...pdf.toString('latin1').matchAll(/\/Type \/Page\b/g)].length;
  return { cut, folded, smallestPoints: smallest * POINTS_PER_PIXEL, pages };
}
