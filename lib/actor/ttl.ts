import { type Duration, parseDuration } from '../duration.ts';
import { JobDefinitionError } from '../errors.ts';
import type { Migration } from './migration.ts';

/** When an entry of a state expires. What has expired is never seen again, and is removed a little at a time. */
export interface Ttl {
  /** How long it lives. */
  readonly after: Duration;
  /**
   * From when: since the entry came to be, since it was last written (default), or since it was last read or written. With
   * `read`, each read of an entry costs an entry of the next snapshot.
   */
  readonly since?: 'created' | 'written' | 'read';
  /** Which time counts: the task's clock (default), or event time, of which watermarks tell. */
  readonly on?: 'processing' | 'event';
}

/** Options of every kind of state, whose entries are of type `V`. */
export interface StateOptions<V = unknown> {
  /** Forever when left out. */
  readonly ttl?: Ttl;
  /**
   * Brings an entry of an older `version` of the actor, as it was stored, to this one: as `migrate` of the actor does with its own
   * state. When it is left out, entries stay as they are.
   */
  readonly migrate?: Migration<V>;
}

/** A `Ttl` that is checked. */
export interface Lifetime {
  readonly afterMs: number;
  readonly since: 'created' | 'written' | 'read';
  readonly on: 'processing' | 'event';
}

/** Throws a `JobDefinitionError` that begins with `where` and names the option. */
export function lifetimeOf(where: string, ttl: Ttl | undefined): Lifetime | undefined {
  if (ttl === undefined) return undefined;
  const { after, since = 'written', on = 'processing' } = ttl;
  const afterMs = parseDuration(after);
  if (afterMs === undefined || afterMs <= 0) {
    throw new JobDefinitionError(
      `${where}: ttl.after is ${JSON.stringify(after)}, which is no duration above 0: give ms, or a text such as "10m".`,
    );
  }
  verifyOneOf(where, 'since', since, ['created', 'written', 'read']);
  verifyOneOf(where, 'on', on, ['processing', 'event']);
  return { afterMs, since, on };
}

function verifyOneOf(where: string, option: string, given: string, known: readonly string[]): void {
  if (known.includes(given)) return;
  throw new JobDefinitionError(
    `${where}: ttl.${option} is ${JSON.stringify(given)}, but must be one of ${known.map(one => `"${one}"`).join(', ')}.`,
  );
}
