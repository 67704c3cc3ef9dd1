import { Stamped } from '../checkpoint/stamped-value.ts';
import type { Key } from '../stream/elements.ts';
import type { ActorState } from './actor-state.ts';
import type { StateCodec } from './behaviour.ts';
import type { Expiry } from './expiry.ts';
import type { MapKey } from './key.ts';
import { type Migration, migrated } from './migration.ts';
import { kindFunction, type StateKindName, type StateKinds } from './state-kind.ts';
import { protectedState } from './state-update.ts';

/** How an actor works with its state. */
export interface Forms {
  readonly codec: StateCodec<unknown> | undefined;
  /** Of its own state. */
  readonly migration: Migration<unknown> | undefined;
  /** Of its own state. */
  readonly expiry: Expiry | undefined;
  /** Of its declared states, by name. */
  readonly expiries: ReadonlyMap<string, Expiry>;
  readonly freezes: boolean;
  /** Its own state is changed as a draft. */
  readonly drafts: boolean;
}

/** What was stored of an actor's state, held against what it declares, and the forms in which it works with it. */
export class StoredForms {
  /** Whether what was restored has got times by which it expires, or has none any more. */
  hasNewTimes = false;
  private readonly state: ActorState;
  private readonly declared: StateKinds;
  private readonly forms: Forms;

  constructor(state: ActorState, declared: StateKinds, forms: Forms) {
    this.state = state;
    this.declared = declared;
    this.forms = forms;
  }

  get codec(): StateCodec<unknown> | undefined {
    return this.forms.codec;
  }

  /** Of its own state. */
  get migration(): Migration<unknown> | undefined {
    return this.forms.migration;
  }

  /** Of its declared states, where they have any. */
  get stateMigrations(): readonly (readonly [state: string, Migration<unknown>])[] {
    return Object.entries(this.declared).flatMap(([state, { migrate }]) =>
      migrate ? [[state, migrate] as const] : [],
    );
  }

  get declaredKinds(): readonly (readonly [state: string, StateKindName])[] {
    return Object.entries(this.declared).map(([state, { kind }]) => [state, kind] as const);
  }

  /** The states that are stored, but that the actor no longer declares. */
  undeclaredStates(): string[] {
    return this.state.entries.states.filter(state => !Object.hasOwn(this.declared, state));
  }

  /** What is wrong with the kinds of the states that are stored; nothing when they are as declared. */
  changedKinds(): string[] {
    const { entries } = this.state;
    return entries.states.flatMap(state => {
      const [stored, declared] = [entries.kindOf(state), this.declared[state]?.kind];
      if (!stored || !declared || stored === declared) return [];
      return [`"${state}" is stored as ${kindFunction(stored)} and declared as ${kindFunction(declared)}`];
    });
  }

  /** A stored value of its own state as the actor works with it. */
  restored(stored: unknown): unknown {
    const { codec, expiry } = this.forms;
    return this.timed(expiry, stored, value => this.protect(codec ? codec.decode(value) : value));
  }

  /** A stored value of its own state, of an older version, as one of this version. */
  migrated(stored: unknown, migration: Migration<unknown>, version: number, key: Key | undefined): unknown {
    return this.timed(this.forms.expiry, stored, value =>
      this.protect(migrated(migration, value, version, this.state.version, key)),
    );
  }

  /** Gives the stored entries of a declared state the form in which the actor works with them. */
  restoreEntries(state: string, form: (value: unknown, key: MapKey, entry: MapKey) => unknown): void {
    const { freezes, expiries } = this.forms;
    this.state.entries.reform(state, (stored, key, entry) =>
      this.timed(expiries.get(state), stored, value => {
        const formed = form(value, key, entry);
        return freezes ? protectedState(formed, false) : formed;
      }),
    );
  }

  /** With the time by which it expires, where it does. */
  private timed(expiry: Expiry | undefined, stored: unknown, restored: (value: unknown) => unknown): unknown {
    const value = restored(stored instanceof Stamped ? stored.value : stored);
    const timed = expiry === undefined ? value : expiry.restored(stored, value);
    this.hasNewTimes ||= timeIn(stored) !== timeIn(timed);
    return timed;
  }

  private protect(value: unknown): unknown {
    return this.forms.freezes ? protectedState(value, this.forms.drafts) : value;
  }
}

function timeIn(stored: unknown): number | undefined {
  return stored instanceof Stamped ? stored.time : undefined;
}
