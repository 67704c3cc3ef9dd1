import { enableMapSet, freeze, isDraft, isDraftable, produce } from 'immer';
import { unsupported } from '../checkpoint/unsupported-state.ts';
import { shapeOf, UNSUPPORTED } from '../checkpoint/value-shape.ts';
import { UnsupportedStateError, UserCodeError } from '../errors.ts';

enableMapSet();

/** Calls user code with a state and answers the next one; `state` itself is never changed. */
export type StateUpdate<S, A> = (state: S, argument: A) => S;

/** What a handler returned when it means "unchanged" is the state itself. */
export function returnedState<S>(state: S, returned: S | void, freezes: boolean): S {
  if (returned === undefined || returned === state) return state;
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
  if (Buffer.isBuffer(view)) return Buffer.from(view);
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
  const View = view.constructor as new (buffer: ArrayBuffer, offset?: number, length?: number) => ArrayBufferView;
  return new View(bytes.buffer);
}

/** Whether `state` is something that Immer can draft; other states (numbers, dates) change by returning a new one. */
export function canDraft(state: unknown): boolean {
  return typeof state === 'object' && isDraftable(state);
}

/**
 * The state frozen, so that code which changes it in place is noticed instead of being lost. Immer's drafts need no such
 * care; what it does not draft (an instance of a class, a date) is handed out itself. Typed arrays cannot be frozen.
 */
export function protectedState<S>(state: S, drafts: boolean): S {
  if (typeof state !== 'object' || state === null) return state;
  if (canDraft(state)) return drafts ? state : freeze(state, true);
  return ArrayBuffer.isView(state) ? state : Object.freeze(state);
}

/**
 * Refuses an instance of a class as initial state or request with `UnsupportedStateError`: its methods would change it in place, so that it
 * never came to be stored, and would be lost without a word.
 */
export function verifyStorable(state: unknown, actor: string, isRequest = false): void {
  if (canDraft(state) || shapeOf(state) !== UNSUPPORTED) return;
  throw new UnsupportedStateError(
    `${isRequest ? 'A request' : 'The initial state'} of the actor "${actor}" cannot be stored: ${unsupported(state).message}` +
      (isRequest ? '' : ' Or give the actor a codec.'),
    { context: { operator: actor } },
  );
}

/** Runs a recipe on a draft of `state`; the result is frozen deeply whatever Immer's global settings say. */
export function draftedState<S>(state: S, recipe: (draft: S) => S | void): S {
  const next = produce(state, recipe as (draft: unknown) => unknown) as S;
  return next === state ? next : freeze(next, true);
}

export { isDraft };
