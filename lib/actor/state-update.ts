import { enableMapSet, freeze, isDraft, isDraftable, produce } from 'immer';
import { UserCodeError } from '../errors.ts';

enableMapSet();

/** Calls user code with a state and answers the next one; `state` itself is never changed. */
export type StateUpdate<S, A> = (state: S, argument: A) => S;

/** What a handler returned when it means "unchanged" is the state itself. */
export function returnedState<S>(state: S, returned: S | void, freezes: boolean): S {
  if (returned === undefined) return state;
  if (typeof returned !== 'object' || returned === null) return returned as S;
  if (typeof (returned as { then?: unknown }).then === 'function') {
    throw new UserCodeError(
      'An actor returned a promise. Actors are synchronous: nothing may happen between two records.',
    );
  }
  // A typed array cannot be frozen: the state keeps a copy that nobody else can change.
  if (ArrayBuffer.isView(returned)) return copyOf(returned) as S;
  return freezes ? Object.freeze(returned) : returned;
}

function copyOf(view: ArrayBufferView): ArrayBufferView {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
  const View = view.constructor as new (buffer: ArrayBuffer, offset?: number, length?: number) => ArrayBufferView;
  return new View(bytes.buffer);
}

/** Whether `state` is something that Immer can draft; other states (numbers, dates) change by returning a new one. */
export function canDraft(state: unknown): boolean {
  return typeof state === 'object' && isDraftable(state);
}

/** Runs a recipe on a draft of `state`; the result is frozen deeply whatever Immer's global settings say. */
export function draftedState<S>(state: S, recipe: (draft: S) => S | void): S {
  const next = produce(state, recipe as (draft: unknown) => unknown) as S;
  return next === state ? next : freeze(next, true);
}

export { isDraft };
