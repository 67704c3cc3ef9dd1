import { FencedError, type TidemarkError } from '../../../lib/index.ts';
import { OutputChangedError } from '../errors.ts';
import type { Claim } from './claims.ts';
import { endOf, type SinkHandle } from './handle.ts';

/** What is there when an incarnation opens its output. */
export interface Found {
  readonly path: string;
  /** Bytes of the visible file; `undefined` when it is not there. */
  readonly size: number | undefined;
  readonly claims: readonly Claim[];
  readonly own: { readonly job: string; readonly task: string; readonly sink: string; readonly token: number };
  readonly existing: 'refuse' | 'truncate';
  /** Of the restored checkpoint; `undefined` when there is none. */
  readonly handle: SinkHandle | undefined;
}

/** How an incarnation takes the output over: how much of the visible file stays. */
export interface Takeover {
  readonly keep: number;
  /** Whether a new file is put in the place of the visible one. */
  readonly replaces: boolean;
}

/** Decides how an output is taken over, or which error refuses it; pure. */
export function takeover(found: Found): Takeover | TidemarkError {
  const { path, own, claims, handle } = found;
  const foreign = claims.find(claim => !isSame(claim, own));
  if (foreign && (handle || found.existing === 'refuse')) {
    return new OutputChangedError(
      `The output "${path}" belongs to sink "${foreign.sink}" of job "${foreign.job}" (task "${foreign.task}"). ` +
        `Give this sink another path${handle ? '' : `, or set existing: 'truncate' to drop what is there`}.`,
    );
  }
  return handle ? goOn(found, handle) : startAfresh(found);
}

function goOn({ path, size = 0, claims, own, existing }: Found, handle: SinkHandle): Takeover | TidemarkError {
  const newest = Math.max(0, ...claims.map(({ token }) => token));
  if (newest > own.token) {
    return new FencedError(
      `The output "${path}" was taken over by a newer incarnation (token ${newest}, this one has ${own.token}).`,
    );
  }
  const end = endOf(handle);
  if (size < handle.offset) {
    const moved = handle.path === path ? '' : ` (the checkpoint wrote to "${handle.path}")`;
    return new OutputChangedError(
      `The output "${path}" was shortened or replaced${moved}: it has ${size} bytes, and committed checkpoints wrote ` +
        `${handle.offset}. Put the file back as it was, or start the job afresh.`,
    );
  }
  const ours = Math.max(end, ...claims.map(claim => claim.end));
  if (size > ours && existing === 'refuse') {
    return new OutputChangedError(
      `The output "${path}" has ${size - end} bytes more than checkpoints wrote: somebody appended to it. ` +
        `Cut it to ${end} bytes, or set existing: 'truncate' to have that done.`,
    );
  }
  return { keep: Math.min(size, end), replaces: size > end };
}

function startAfresh({ path, size = 0, claims, own, existing }: Found): Takeover | TidemarkError {
  const newest = Math.max(0, ...claims.map(({ token }) => token));
  const drops = `set existing: 'truncate' to drop what is there`;
  if (existing === 'refuse' && newest > own.token) {
    return new OutputChangedError(
      `The output "${path}" was written under token ${newest}, and this job begins without a checkpoint under token ` +
        `${own.token}: either another process runs the job, or its stored state was deleted. ` +
        `If it was, delete the output, too, or ${drops}.`,
    );
  }
  if (existing === 'refuse' && size > 0 && claims.length === 0) {
    return new OutputChangedError(
      `The output "${path}" exists already (${size} bytes), and this job did not write it. ` +
        `Move it away, give another path, or ${drops}.`,
    );
  }
  return { keep: 0, replaces: true };
}

function isSame(claim: Claim, own: Found['own']): boolean {
  return claim.job === own.job && claim.task === own.task && claim.sink === own.sink;
}
