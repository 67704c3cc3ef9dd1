import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../tools/services/free-port.ts';
import { Command, root } from '../../recovery/harness/command.ts';
import { temporaryFolder } from '../../recovery/harness/temporary-folder.ts';
import { chromiumPath, startBrowser } from './browser.ts';

const server = path.join(root, 'samples/rx-app/server.ts');
/** ms; for whatever a page is waited for. */
const patience = 20_000;

let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  page = await browser.newPage();
  page.setDefaultTimeout(patience);
});
afterEach(() => page?.close());

class RunningApp {
  readonly #folder = temporaryFolder();
  readonly port: number;
  command: Command;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.command = this.#command(args);
  }

  static async start(...args: string[]): Promise<RunningApp> {
    const app = new RunningApp(await freePort(), args);
    await app.command.says('The page is at');
    return app;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Begins anew on the same port and folder. */
  async restart(...args: string[]): Promise<void> {
    this.command = this.#command(args);
    await this.command.says('The page is at');
  }

  async post(...readings: readonly { readonly sensor: string; readonly celsius: number }[]): Promise<void> {
    const response = await fetch(`${this.url}readings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(readings),
      signal: AbortSignal.timeout(patience),
    });
    expect(response.status, await response.text()).toBe(202);
  }

  #command(args: readonly string[]): Command {
    return new Command([server, '--port', String(this.port), '--store', this.#folder, '--sensors', '0', ...args]);
  }
}

/** Waits until the table shows `text` for the sensor. */
async function shows(sensor: string, column: string, text: string): Promise<void> {
  const cell = page.locator(`tr[data-sensor="${sensor}"] td[data-column="${column}"]`);
  await expect.poll(() => cell.textContent(), { timeout: patience }).toBe(text);
}

const isConnection = (text: string) => page.getByRole('status').getByText(text, { exact: true }).waitFor();

describe('the page of the sample rx-app', () => {
  it('shows readings as they come, connects again after kill -9, and goes on from the checkpoint', async () => {
    const app = await RunningApp.start('--checkpoint', '100ms');
    await page.goto(app.url);
    await isConnection('live');
    await app.post(
      { sensor: 'cellar', celsius: 11 },
      { sensor: 'roof', celsius: 31.5 },
      { sensor: 'cellar', celsius: 9 },
    );
    await shows('cellar', 'readings', '2');
    await shows('cellar', 'celsius', '9.0');
    await shows('cellar', 'highest', '11.0');
    await shows('roof', 'readings', '1');
    await shows('cellar', 'saved', '2');
    await shows('roof', 'saved', '1');

    await app.command.killed();
    await isConnection('connecting again');
    await app.restart('--checkpoint', '100ms');
    await isConnection('live');
    await app.post({ sensor: 'cellar', celsius: 10 });
    await shows('cellar', 'readings', '3');
    await shows('cellar', 'highest', '11.0');
    await shows('cellar', 'saved', '3');
    await shows('roof', 'readings', '1');
  });

  it('loses of what was read what no checkpoint covers, and nothing else', async () => {
    const app = await RunningApp.start('--checkpoint', '100ms');
    await page.goto(app.url);
    await app.post({ sensor: 'cellar', celsius: 11 });
    await shows('cellar', 'saved', '1');
    app.command.kill('SIGTERM');
    await app.command.exited;

    await app.restart('--checkpoint', 'off');
    await isConnection('live');
    await app.post({ sensor: 'cellar', celsius: 99 });
    await shows('cellar', 'readings', '2');
    await shows('cellar', 'saved', '1');
    await app.command.killed();

    await app.restart();
    await shows('cellar', 'readings', '1');
    await shows('cellar', 'highest', '11.0');
  });

  it('goes on after SIGTERM from a final checkpoint, also for a page that is opened then', async () => {
    const app = await RunningApp.start('--checkpoint', 'off');
    await page.goto(app.url);
    await app.post({ sensor: 'cellar', celsius: 11 }, { sensor: 'cellar', celsius: 12 });
    await shows('cellar', 'readings', '2');
    app.command.kill('SIGTERM');
    expect(await app.command.exited, app.command.output).toEqual({ code: 0, signal: null });
    expect(app.command.output).toContain('The job is stopped.');

    await app.restart('--checkpoint', 'off');
    await page.goto('about:blank');
    await page.goto(app.url);
    await shows('cellar', 'readings', '2');
    await shows('cellar', 'saved', '2');
  });

  it('tells of a sensor that falls silent, and that it is back', async () => {
    const app = await RunningApp.start('--checkpoint', '100ms', '--silent-after', '300ms');
    await page.goto(app.url);
    await page.getByText('None so far.').waitFor();
    await app.post({ sensor: 'roof', celsius: 30 });
    await page.getByText('roof has been silent since').waitFor();
    await app.post({ sensor: 'roof', celsius: 30 });
    await page.getByText('roof is back since').waitFor();
    await page.getByText('None so far.').waitFor({ state: 'hidden' });
  });
});

describe('the browser of the specs', () => {
  it('is the one that CHROMIUM_PATH names, or one on the path, and else is said to be missing', () => {
    expect(chromiumPath({ CHROMIUM_PATH: process.execPath, PATH: '' })).toBe(process.execPath);
    expect(() => chromiumPath({ CHROMIUM_PATH: '/none/at/all', PATH: '' })).toThrow(
      /names "\/none\/at\/all", which cannot be run\. Install it/,
    );
    expect(() => chromiumPath({ PATH: '/none' })).toThrow(/None of chromium, .* apt-get install chromium/);
  });
});
