import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser of the machine, without a window. `CHROMIUM_PATH` says which one, else the first on the path is taken. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(process.env), timeout: 30_000 });
}

/** Throws an `Error` that says how to install one where there is none. */
export function chromiumPath({ CHROMIUM_PATH, PATH = '' }: Readonly<Record<string, string | undefined>>): string {
  const candidates = CHROMIUM_PATH
    ? [CHROMIUM_PATH]
    : names.flatMap(name => PATH.split(path.delimiter).map(folder => path.join(folder, name)));
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  const missing = CHROMIUM_PATH
    ? `CHROMIUM_PATH names "${CHROMIUM_PATH}", which cannot be run.`
    : `None of ${names.join(', ')} is on the path.`;
  throw new Error(
    `This spec needs Chromium. ${missing} Install it (Debian and Ubuntu: apt-get install chromium), or let CHROMIUM_PATH name it.`,
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
