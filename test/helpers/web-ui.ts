import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import chromium from '@sparticuz/chromium';
import {
  chromium as playwright,
  type Browser,
  type BrowserContext,
  type FrameLocator,
  type Locator,
  type Page,
} from 'playwright-core';

/** Where pictures go; docs/web-ui.md shows some of them, see there. */
const PICTURES = fileURLToPath(new URL('../../.test-results/web-ui/', import.meta.url));

/** Sizes of a window, in pixels. */
export const WINDOWS = { wide: { width: 1_600, height: 1_000 }, narrow: { width: 800, height: 1_000 } } as const;

/** What a person can send, and what the Web UI calls it. */
const DIALOGS = { signal: 'Send a Signal', update: 'Send an Update' } as const;
type Sent = keyof typeof DIALOGS;

/** A real Chromium that looks at the Web UI of Temporal. It is that of an npm package: nothing has to be installed. */
export class WebUi {
  private constructor(
    private readonly browser: Browser,
    private readonly context: BrowserContext,
    readonly page: Page,
    private readonly origin: string,
  ) {}

  static async open(origin: string, options: { colorScheme?: 'light' | 'dark'; window?: keyof typeof WINDOWS } = {}) {
    const { colorScheme = 'light', window = 'wide' } = options;
    const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args });
    const context = await browser.newContext({ colorScheme, viewport: WINDOWS[window] });
    const page = await context.newPage();
    page.setDefaultTimeout(45_000); // the page is slow where a roll-out takes the processors
    return new WebUi(browser, context, page, origin);
  }

  async close(): Promise<void> {
    await this.context.close();
    await this.browser.close();
  }

  /** The page of a workflow. It is never idle, so that elements are waited for. */
  async workflow(workflowId: string, runId: string): Promise<void> {
    const url = `${this.origin}/namespaces/default/workflows/${workflowId}/${runId}/history`;
    await this.page.goto(url, { waitUntil: 'domcontentloaded' });
    await this.page.getByRole('button', { name: 'More Actions' }).waitFor();
  }

  /** The dialog in which a signal or an update is sent, with the list of them open. */
  async openDialog(kind: Sent): Promise<Locator> {
    const { page } = this;
    const name = DIALOGS[kind];
    await page.getByRole('button', { name: 'More Actions' }).click();
    await page.getByRole('menuitem', { name }).click();
    const dialog = page.getByRole('dialog', { name });
    await dialog.getByTestId(`${kind}-select-button`).click();
    await dialog.getByRole('option').first().waitFor();
    return dialog;
  }

  /** By hand, as a person does: More Actions, Send a Signal, its name out of the list, one payload; `look` before it is sent. */
  async sendSignal(name: string, payload: unknown, look: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const dialog = await this.#fill('signal', name, payload);
    await look();
    await dialog.getByRole('button', { name: 'Submit' }).click();
    await dialog.waitFor({ state: 'hidden' });
  }

  /** The same by Send an Update. @returns the dialog, which goes away when the update was taken, and says why it was not */
  async sendUpdate(name: string, payload: unknown): Promise<Locator> {
    const dialog = await this.#fill('update', name, payload);
    await dialog.getByRole('button', { name: 'Submit' }).click();
    return dialog;
  }

  async #fill(kind: Sent, name: string, payload: unknown): Promise<Locator> {
    const dialog = await this.openDialog(kind);
    await dialog
      .getByRole('option')
      .filter({ hasText: new RegExp(`^\\s*${name}\\b`) })
      .first()
      .click();
    await this.#typeJson(dialog, payload);
    return dialog;
  }

  /** The frame in which the Web UI draws the current details of a workflow, which are Markdown; as they are now. */
  async details(): Promise<FrameLocator> {
    const { page } = this;
    await page.reload({ waitUntil: 'domcontentloaded' });
    await page.getByRole('tab', { name: 'User Metadata' }).click();
    await page.locator('iframe').first().waitFor({ state: 'attached' });
    // Below the rest in a narrow window. By the page itself: it may put another one in its place meanwhile.
    await page.evaluate("document.querySelector('iframe')?.scrollIntoView({ block: 'center' })");
    return page.frameLocator('iframe').first();
  }

  /** The page anew, with no dialog open. */
  async reload(): Promise<void> {
    await this.page.reload({ waitUntil: 'domcontentloaded' });
    await this.page.getByRole('button', { name: 'More Actions' }).waitFor();
  }

  /** A picture of the window, for people to look at. */
  async picture(name: string): Promise<void> {
    const path = `${PICTURES}${name}.png`;
    await mkdir(dirname(path), { recursive: true });
    await this.page.screenshot({ path });
  }

  /** All at once, as from a clipboard: the editor closes brackets and quotes of those that are typed. */
  async #typeJson(dialog: Locator, payload: unknown): Promise<void> {
    const editor = dialog.locator('.cm-content[contenteditable=true]').first();
    await editor.click();
    await this.page.keyboard.insertText(JSON.stringify(payload));
    // Left, it lays the JSON out anew, and the button below moves away from under the mouse.
    await editor.blur();
    const text = await editor.innerText();
    if (JSON.stringify(JSON.parse(text)) !== JSON.stringify(payload)) throw new Error(`the editor has ${text}`);
  }
}
