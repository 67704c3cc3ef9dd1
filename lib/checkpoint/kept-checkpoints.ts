import { FencedError, messageOf } from '../errors.ts';
import { andThen, attempt, type MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import type { ChainCompactor } from './chain-compactor.ts';
import type { Recovered } from './commit-point.ts';
import type { ActorEntry, Manifest, SegmentRef } from './manifest.ts';
import { expiredManifests, mostExpired } from './retention.ts';
import { readNotes } from './savepoint-notes.ts';
import type { StoredManifest, TaskStore } from './snapshot-store.ts';

export interface KeptCheckpointsServices {
  readonly store: TaskStore;
  readonly compactor: ChainCompactor;
  readonly logger: Logger;
  readonly settings: { readonly retained: number };
  /** The task cannot go on. */
  fail(error: unknown): void;
}

/**
 * What the store holds of a task: the manifests that are kept and the chains of segments that the next one builds on.
 * Nothing here holds up the stream, and a failure is only logged: what is not removed now is removed later.
 */
export class KeptCheckpoints {
  private readonly services: KeptCheckpointsServices;
  private readonly token: number;
  private stored: StoredManifest[];
  private chains: Map<string, ActorEntry>;
  private isClosed = false;
  private collecting: MaybePromise<void> = undefined;

  constructor(services: KeptCheckpointsServices, { token, stored, committed }: Recovered) {
    this.services = services;
    this.token = token;
    this.stored = [...stored];
    this.chains = new Map(Object.entries(committed?.actors ?? {}));
  }

  /** The oldest checkpoint that is kept. */
  get oldest(): Manifest | undefined {
    return this.stored.find(({ confirmed }) => confirmed)?.manifest;
  }

  /** Whether a savepoint of this name is kept. */
  hasSavepoint(name: string): boolean {
    return this.stored.some(({ manifest, confirmed }) => confirmed && manifest.savepoint?.name === name);
  }

  /** The segments of an actor that a delta builds on. */
  chainOf(actor: string): readonly SegmentRef[] {
    return this.chains.get(actor)?.segments ?? [];
  }

  /** Removes what retention no longer needs, and what earlier incarnations wrote and no manifest names. */
  sweep(): void {
    this.collect();
  }

  /** The checkpoint counts: the next one builds on it. */
  committed(manifest: Manifest): void {
    this.chains = new Map(Object.entries(manifest.actors));
    this.stored.push({ manifest, confirmed: true });
  }

  /** Drops what retention no longer needs and shortens chains, after checkpoint `id` is over. */
  tidy(id: number): void {
    if (expiredManifests(this.stored, this.services.settings.retained, mostExpired).length > 0) this.collect(false);
    this.services.compactor.consider(this.chains, id, this.token, (actor, from, to) => {
      const entry = this.chains.get(actor);
      if (!entry || this.isClosed) return;
      const segments = replaced(entry.segments, from, to);
      if (segments) this.chains.set(actor, { ...entry, segments });
    });
  }

  /** Begins nothing more; what is being removed is waited for, since the store may be closed then. */
  close(): MaybePromise<void> {
    this.isClosed = true;
    return this.collecting;
  }

  /** `always`: also when no manifest goes, for what none names. */
  private collect(always = true): void {
    if (this.isClosed) return;
    const { store, logger, fail, settings } = this.services;
    let ids: readonly number[] = [];
    const forget = () => {
      this.stored = this.stored.filter(({ manifest }) => !ids.includes(manifest.id));
    };
    this.collecting = attempt<void>(
      () =>
        // Asked each time: a person may have made a savepoint of a checkpoint that is about to go.
        andThen(store.notes(), notes => {
          ids = expiredManifests(this.stored, settings.retained, readNotes(notes));
          if (ids.length > 0 || always) return andThen(store.collect(this.token, ids), forget);
        }),
      error => {
        if (error instanceof FencedError) fail(error);
        else if (!this.isClosed)
          logger.warn({ error: messageOf(error), manifests: ids }, 'old checkpoints could not be removed');
      },
    );
  }
}

/** The chain with `to` in the place of `from`; `undefined` when `from` is no longer a part of it. */
function replaced(
  chain: readonly SegmentRef[],
  from: readonly SegmentRef[],
  to: readonly SegmentRef[],
): SegmentRef[] | undefined {
  const start = chain.findIndex(({ name }) => name === from[0]?.name);
  if (start < 0 || !from.every(({ name }, i) => chain[start + i]?.name === name)) return undefined;
  return [...chain.slice(0, start), ...to, ...chain.slice(start + from.length)];
}
