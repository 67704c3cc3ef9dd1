import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FencedError } from '../../../lib/index.ts';
import { reasonOf } from '../errors.ts';
import { syncFolder } from './folders.ts';

const claimSchema = z.object({
  format: z.literal(1),
  job: z.string(),
  task: z.string(),
  sink: z.string(),
  token: z.number().int(),
  /** Bytes of the visible file that its writers have made, at most. */
  end: z.number().int().nonnegative(),
});

/** Who writes a visible file: kept in the hidden folder beside it, one file for each incarnation. */
export type Claim = Readonly<z.infer<typeof claimSchema>>;

const nameOf = (token: number): string => `${token}.claim`;
const tokenIn = (name: string): number | undefined => {
  const found = /^(\d+)\.claim$/.exec(name);
  return found ? Number(found[1]) : undefined;
};

/** All claims, oldest token first; none when there is no hidden folder. One that a power failure tore is left out. */
export async function readClaims(folder: string): Promise<Claim[]> {
  for (;;) {
    const texts = await textsIn(folder);
    if (texts)
      return texts
        .map(parse)
        .filter(claim => claim !== undefined)
        .sort((a, b) => a.token - b.token);
  }
}

/** `undefined` when one was dropped meanwhile: whoever takes over has made a claim before that, which may not be among these. */
async function textsIn(folder: string): Promise<string[] | undefined> {
  const texts: string[] = [];
  for (const name of await namesIn(folder)) {
    if (tokenIn(name) === undefined) continue;
    try {
      texts.push(await readFile(join(folder, name), 'utf8'));
    } catch (error) {
      if (reasonOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
  return texts;
}

function parse(text: string): Claim | undefined {
  try {
    return claimSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Writes a claim in place of an older one of the same token; `isDurable`: before it answers. */
export async function writeClaim(folder: string, claim: Claim, isDurable: boolean): Promise<void> {
  const path = join(folder, nameOf(claim.token));
  const file = await open(`${path}.new`, 'w');
  try {
    await file.writeFile(`${JSON.stringify(claim)}\n`);
    if (isDurable) await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  if (isDurable) await syncFolder(folder);
}

/** Throws a `FencedError` unless the newest claim is the one of `token`. */
export async function verifyClaim(folder: string, token: number, visible: string): Promise<void> {
  const newest = Math.max(-1, ...(await tokensIn(folder)));
  if (newest !== token) throw takenOver(visible, token, newest);
}

/** Throws a `FencedError` when there is a newer claim than that of `token`, but for those that it has `seen` and put aside. */
export async function verifyNotOvertaken(
  folder: string,
  { token, seen, visible }: { readonly token: number; readonly seen: readonly Claim[]; readonly visible: string },
): Promise<void> {
  const newest = Math.max(-1, ...(await tokensIn(folder)).filter(found => !seen.some(claim => claim.token === found)));
  if (newest > token) throw takenOver(visible, token, newest);
}

function takenOver(visible: string, token: number, newest: number): FencedError {
  return new FencedError(
    `The output "${visible}" was taken over by another incarnation` +
      `${newest > token ? ` (token ${newest}, this one has ${token})` : ''}: this one stops writing to it.`,
    { context: { token, newest } },
  );
}

/** Removes these claims, but for the one of `token`. */
export async function dropClaims(folder: string, claims: readonly Claim[], token: number): Promise<void> {
  for (const claim of claims) {
    if (claim.token !== token) await rm(join(folder, nameOf(claim.token)), { force: true });
  }
}

/**
 * Removes what older incarnations, and those in `seen`, have begun to put in place: one that still runs fails at it. What
 * newer ones have begun stays.
 */
export async function dropHalfMade(folder: string, token: number, seen: readonly Claim[]): Promise<void> {
  for (const name of await namesIn(folder)) {
    const maker = Number(/^(\d+)\.(?:claim\.)?new$/.exec(name)?.[1] ?? token);
    const isOlder = maker < token || seen.some(claim => claim.token === maker && maker !== token);
    if (isOlder) await rm(join(folder, name), { force: true });
  }
}

/** The names of the parts of other incarnations. */
export async function otherParts(folder: string, token: number): Promise<string[]> {
  return (await namesIn(folder)).filter(name => name.endsWith('.part') && !name.startsWith(`${token}-`));
}

async function tokensIn(folder: string): Promise<number[]> {
  return (await namesIn(folder)).map(tokenIn).filter(found => found !== undefined);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (reasonOf(error) === 'ENOENT') return [];
    throw error;
  }
}
