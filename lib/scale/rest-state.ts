import type { RestEntry } from '../checkpoint/manifest.ts';
import type { SavepointRequest } from '../checkpoint/savepoint-notes.ts';

/** Tells one request for a savepoint from any other, also of the same name. */
export const restId = ({ name, createdAt }: Pick<RestEntry, 'name' | 'createdAt'>): string => `${name}@${createdAt}`;

/** What the answer to a request is: begin to rest, know it already, or refuse it. */
export type RestAnswer = 'begin' | 'known' | { readonly refuse: string };

/**
 * How far a task has come to rest for a savepoint: `going`, `there`, and `over` when it goes on or has given up. It is kept in each manifest, so
 * that the next incarnation knows what this one has told the others. Pure.
 */
export class RestState {
  #entry: RestEntry | undefined;

  constructor(restored?: RestEntry) {
    this.#entry = restored;
  }

  get entry(): RestEntry | undefined {
    return this.#entry;
  }

  /** The request that it rests for now. */
  get current(): RestEntry | undefined {
    return this.#entry?.phase === 'over' ? undefined : this.#entry;
  }

  /** Told of one `rest`, for which nothing comes any more. */
  isOf(rest: string): boolean {
    return this.current !== undefined && restId(this.current) === rest;
  }

  /** What was given up must never be begun again: others may hold what was true then. */
  take({ name, createdAt, expiresAt, end }: SavepointRequest): RestAnswer {
    const before = this.#entry;
    if (before && before.phase !== 'over') {
      return restId(before) === restId({ name, createdAt })
        ? 'known'
        : { refuse: `the savepoint "${before.name}" is being taken, one after another` };
    }
    if (before && before.createdAt >= createdAt) {
      return { refuse: `the task has given it up, or a later one ("${before.name}") was asked for before it` };
    }
    this.#entry = { name, createdAt, expiresAt, end: end === 'stop' ? 'stop' : 'go-on', phase: 'going' };
    return 'begin';
  }

  /** The last mark has come out of the task. */
  arrived(): void {
    if (this.#entry?.phase === 'going') this.#entry = { ...this.#entry, phase: 'there' };
  }

  /** From here on the task gives again. */
  over(): void {
    if (this.#entry) this.#entry = { ...this.#entry, phase: 'over' };
  }
}

/** What the store says about the savepoint that a task rests for. */
export interface RestSeen {
  /** Whoever asked still waits for it. */
  readonly isAsked: boolean;
  readonly isRefused: boolean;
  readonly areAllThere: boolean;
  /** Wall clock, ms since 1970. */
  readonly now: number;
}

/** Whether a task that rests goes on doing so, is done with it, or gives it up. Pure. */
export function restStep(
  { phase, expiresAt }: RestEntry,
  { isAsked, isRefused, areAllThere, now }: RestSeen,
): 'wait' | 'done' | { readonly giveUp: string } {
  if (phase === 'there' && areAllThere) return 'done';
  if (isRefused) return { giveUp: 'it was refused' };
  if (!isAsked) return { giveUp: 'nobody waits for it any more' };
  return now > expiresAt ? { giveUp: 'not all tasks came to rest in time' } : 'wait';
}
