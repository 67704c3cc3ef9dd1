import { z } from 'zod';
import type { Json } from '../checkpoint/manifest.ts';

interface Upstream {
  watermark: number;
  isIdle: boolean;
  hasEnded: boolean;
  /** What it rests for. */
  rest: string | undefined;
}

const stored = z.array(z.tuple([z.number().nullable(), z.boolean(), z.boolean()], z.string()));

/**
 * How far each of the tasks is that write into a channel: its watermark is the lowest of those that are not idle, and it has ended
 * when all have. A task that has said nothing yet holds it back.
 */
export class ChannelTable {
  readonly #upstream: readonly Upstream[];

  constructor(tasks: number) {
    this.#upstream = Array.from({ length: tasks }, () => ({
      watermark: Number.NEGATIVE_INFINITY,
      isIdle: false,
      hasEnded: false,
      rest: undefined,
    }));
  }

  /** A task says how far it is; it never goes back. */
  moved(task: number, watermark: number, isIdle: boolean): void {
    const upstream = this.#upstream[task];
    if (!upstream || upstream.hasEnded) return;
    upstream.watermark = Math.max(upstream.watermark, watermark);
    upstream.isIdle = isIdle;
  }

  /** A task has given its last record; said again after a restore of that task, it changes nothing. */
  ended(task: number): void {
    const upstream = this.#upstream[task];
    if (upstream) upstream.hasEnded = true;
  }

  /** A task gives nothing until it says that it goes on. */
  rested(task: number, rest: string): void {
    const upstream = this.#upstream[task];
    if (upstream) upstream.rest = rest;
  }

  resumed(task: number): void {
    const upstream = this.#upstream[task];
    if (upstream) upstream.rest = undefined;
  }

  /** Whether nothing comes from any task until one of them goes on. */
  haveAllRested(rest: string): boolean {
    return this.#upstream.every(upstream => upstream.hasEnded || upstream.rest === rest);
  }

  get haveAllEnded(): boolean {
    return this.#upstream.every(({ hasEnded }) => hasEnded);
  }

  /** Whether every task that has not ended is idle: then nothing waits for this channel. */
  get isIdle(): boolean {
    const open = this.#upstream.filter(({ hasEnded }) => !hasEnded);
    return open.length > 0 && open.every(({ isIdle }) => isIdle);
  }

  /** Where all are idle, that of the furthest. */
  get watermark(): number {
    const open = this.#upstream.filter(({ hasEnded }) => !hasEnded);
    if (open.length === 0) return Number.POSITIVE_INFINITY;
    const counting = open.filter(({ isIdle }) => !isIdle);
    return counting.length > 0
      ? Math.min(...counting.map(({ watermark }) => watermark))
      : Math.max(...open.map(({ watermark }) => watermark));
  }

  toJson(): Json {
    return this.#upstream.map(({ watermark, isIdle, hasEnded, rest }) => [
      Number.isFinite(watermark) ? watermark : null,
      isIdle,
      hasEnded,
      ...(rest === undefined ? [] : [rest]),
    ]);
  }

  /** Takes up what `toJson` answered. */
  restore(json: Json): void {
    for (const [task, [watermark, isIdle, hasEnded, rest]] of stored.parse(json).entries()) {
      const upstream = this.#upstream[task];
      if (!upstream) continue;
      upstream.watermark = watermark ?? Number.NEGATIVE_INFINITY;
      upstream.isIdle = isIdle;
      upstream.hasEnded = hasEnded;
      upstream.rest = rest;
    }
  }
}
