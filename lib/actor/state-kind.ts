import type { Migration } from './migration.ts';
import { type Lifetime, lifetimeOf, type StateOptions } from './ttl.ts';

export type StateKindName = 'map' | 'value' | 'list' | 'aggregating';

/** A further kind of state of an actor: what its handlers are given is an `H`. */
export interface StateKind<H> {
  readonly kind: StateKindName;
  /** Of its entries; forever when left out. */
  readonly lifetime?: Lifetime;
  /** Of its entries, from older versions of the actor. */
  readonly migrate?: Migration<unknown>;
  /** For the compiler only. */
  readonly __handle?: () => H;
}

export type StateKinds = Readonly<Record<string, StateKind<unknown>>>;
export type NoStateKinds = Readonly<Record<never, never>>;

/** What handlers are given for the declared kinds. */
export type StateHandles<D> = { readonly [name in keyof D]: D[name] extends StateKind<infer H> ? H : never };

export function stateKind(kind: StateKindName, { ttl, migrate }: StateOptions): StateKind<never> {
  const lifetime = lifetimeOf(kindFunction(kind), ttl);
  return { kind, ...(lifetime && { lifetime }), ...(migrate !== undefined && { migrate }) };
}

/** The function that declares a kind, as users know it. */
export function kindFunction(kind: StateKindName): string {
  return `${kind}State`;
}
