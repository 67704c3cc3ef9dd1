import type { Random } from '../../harness/random.ts';

/** What a user does. */
export interface Visit {
  readonly user: string;
  readonly page: string;
  /** Event time. */
  readonly at: number;
}

/** How long the stretches are for which visits of a page are counted. */
export const windowMs = 10_000;

/** Visits that a seed fixes, in the order of their times. */
export function visitsFrom(random: Random, count: number): Visit[] {
  return Array.from({ length: count }, (_, i) => ({
    user: `user-${Math.floor(random() ** 2 * 120)}`,
    page: `page-${Math.floor(random() * 40)}`,
    at: 1_000_000 + i * 100,
  }));
}

/**
 * What must come out for each key, in order, from a plain loop: for each page and user which of the user's visits these were; for
 * each page how many there were in each window.
 */
export function expectedLines(visits: readonly Visit[]): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, string[]>();
  const put = (key: string, text: string) => {
    const ofKey = lines.get(key);
    if (ofKey) ofKey.push(text);
    else lines.set(key, [text]);
  };
  const users = new Map<string, number>();
  const windows = new Map<string, Map<number, number>>();
  for (const { user, page, at } of visits) {
    const nth = (users.get(user) ?? 0) + 1;
    users.set(user, nth);
    const key = `${page} ${user}`;
    put(key, `${(lines.get(key)?.length ?? 0) + 1}:${nth}`);
    const end = Math.floor(at / windowMs) * windowMs + windowMs;
    const ofPage = windows.get(page) ?? new Map<number, number>();
    windows.set(page, ofPage.set(end, (ofPage.get(end) ?? 0) + 1));
  }
  for (const [page, ends] of windows) for (const [end, count] of ends) put(page, `${end}:${count}`);
  return lines;
}
