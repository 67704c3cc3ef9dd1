import { InvalidKeyError, messageOf, TidemarkError, UserCodeError } from '../errors.ts';
import type { Key } from '../stream/elements.ts';

/** What the task fails with when a handler threw `error`; `keyed` is the key of its message, if the actor has keys. */
export function actorFailure(
  error: unknown,
  actor: string,
  handler: string,
  keyed: { readonly key: Key | undefined } | undefined,
): TidemarkError {
  const context = { operator: actor };
  if (error instanceof InvalidKeyError) {
    return new InvalidKeyError(`The actor "${actor}" was given a record without a usable key: ${error.message}`, {
      context,
    });
  }
  if (error instanceof TidemarkError && (error.context.operator || !error.retriable)) return error;
  const forKey = keyed ? ` for key ${display(keyed.key)}` : '';
  return new UserCodeError(`The actor "${actor}" threw in ${handler}${forKey}: ${messageOf(error)}`, {
    cause: error,
    context,
  });
}

/** What the task fails with when a request failed for good. */
export function requestFailure(
  error: unknown,
  actor: string,
  attempts: number,
  keyed: { readonly key: Key | undefined } | undefined,
): TidemarkError {
  if (error instanceof TidemarkError && !error.retriable) return error;
  const forKey = keyed ? ` for key ${display(keyed.key)}` : '';
  const after = attempts === 1 ? '' : ` after ${attempts} attempts`;
  return new UserCodeError(`A request of the actor "${actor}"${forKey} failed${after}: ${messageOf(error)}`, {
    cause: error,
    context: { operator: actor },
  });
}

/** A date or typed array of a state was changed in place. */
export function changedInPlace(actor: string, { what, path }: { what: string; path: string }): UserCodeError {
  return new UserCodeError(
    `The actor "${actor}" changed a ${what} in place, ${path === '' ? 'which is its state' : `at ${path} of its state`}: ` +
      'a snapshot can miss that. Put a changed copy in its place (state.at = new Date(…), state.bytes = state.bytes.slice()).',
    { context: { operator: actor } },
  );
}

function display(key: Key | undefined): string {
  const text =
    typeof key === 'bigint'
      ? `${key}n`
      : JSON.stringify(key, (_, part) => (typeof part === 'bigint' ? `${part}n` : part));
  return text === undefined ? String(key) : text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
