import { messageOf } from '../lib/errors.ts';
import { redactText } from '../lib/observe/redact.ts';

const mended: Record<string, string> = {
  user: 'to be mended in the job, its input or its settings',
  external: 'caused outside: a store, a disk, a broker or another process',
  internal: 'a fault of Tidemark itself: please report it with the lines below',
};

/**
 * An error for people: what happened, where, who can mend it, what caused it. Stack lines only where they help: those of
 * the user's own code, or all of them with `isVerbose` and for internal faults.
 */
export function errorLines(error: unknown, isVerbose = false): string[] {
  const { code, fault, context } = (error ?? {}) as { code?: unknown; fault?: unknown; context?: unknown };
  const isOurs = typeof fault !== 'string' || fault === 'internal';
  const lines = messageOf(error).split('\n');
  if (typeof code === 'string' && typeof fault === 'string' && code !== 'USAGE')
    lines.push(`  ${code}, ${mended[fault] ?? fault}`);
  const where = contextText(context);
  if (where) lines.push(`  at ${where}`);
  // Many messages have taken over that of their cause.
  for (const cause of causesOf(error).filter(cause => !messageOf(error).includes(messageOf(cause)))) {
    lines.push(`  caused by: ${nameOf(cause)}${messageOf(cause).split('\n').join('\n    ')}`);
  }
  lines.push(...stackLines(causesOf(error).at(-1) ?? error, isVerbose || isOurs).map(line => `    ${line}`));
  return lines.map(redactText);
}

/** 'operator count, checkpoint 12': the names in the order in which the error gives them. */
function contextText(context: unknown): string {
  if (typeof context !== 'object' || context === null) return '';
  return Object.entries(context)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([name, value]) => `${name === 'checkpointId' ? 'checkpoint' : name} ${value}`)
    .join(', ');
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  let above = error;
  for (let depth = 0; depth < 5; depth++) {
    const cause = (above as { cause?: unknown } | null | undefined)?.cause;
    if (cause === undefined) break;
    causes.push(cause);
    above = cause;
  }
  return causes;
}

function nameOf(error: unknown): string {
  return error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
}

const ownPackage = new URL('..', import.meta.url).href;

function stackLines(error: unknown, isAll: boolean): string[] {
  const frames = (error instanceof Error ? (error.stack ?? '') : '')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line.startsWith('at '));
  if (isAll) return frames;
  const isUsers = (frame: string): boolean =>
    frame.includes('file://') && !frame.includes('/node_modules/') && !isOwn(frame);
  return frames.filter(isUsers).slice(0, 3);
}

/** A frame of the package itself; jobs may lie beside it, in samples and specs. */
function isOwn(frame: string): boolean {
  return ['lib/', 'operators/', 'connectors/', 'cli/'].some(folder => frame.includes(`${ownPackage}${folder}`));
}
