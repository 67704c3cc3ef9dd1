import { inspect } from 'node:util';
import { InternalError, InvalidKeyError } from '../errors.ts';
import type { Key, KeyAtom } from '../stream/elements.ts';

/** A key in the form in which a `Map` compares it by content; tuples and "un-keyed" are strings that no plain key equals. */
export type MapKey = string | number | bigint | boolean;

// Strings that begin with U+0000 are ours: 'u' un-keyed, 't' a tuple, 's' a user's own string that begins with U+0000.
// They are stored in snapshots (key-codec.ts), so a change here is a change of the segment format.
const unKeyed = '\u0000u';
const tuple = '\u0000t';
const escaped = '\u0000s';

/**
 * The key as a `Map` can compare it: injective, but for 0 and -0, which are one key (and NaN equals NaN), as in a `Map`.
 * Throws `InvalidKeyError` for anything but strings, numbers, bigints, booleans, flat tuples of them, and `undefined`.
 */
export function mapKey(key: Key | undefined): MapKey {
  switch (typeof key) {
    case 'string':
      return key.charCodeAt(0) === 0 ? escaped + key : key;
    case 'number':
      return key + 0; // -0 becomes 0
    case 'bigint':
    case 'boolean':
      return key;
    case 'undefined':
      return unKeyed;
    default:
      if (!Array.isArray(key)) throw invalid(key, key);
      return tupleKey(key);
  }
}

function tupleKey(atoms: readonly KeyAtom[]): string {
  let text = tuple;
  for (let i = 0; i < atoms.length; i++) {
    const atom = atoms[i];
    switch (typeof atom) {
      case 'string':
        text += `s${atom.length}:${atom}`;
        break;
      case 'number':
        text += `d${atom};`; // the shortest text that reads back as the same double; -0 gives '0'
        break;
      case 'bigint':
        text += `i${atom};`;
        break;
      case 'boolean':
        text += atom ? 'T' : 'F';
        break;
      default:
        throw invalid(atom, atoms);
    }
  }
  return text;
}

/** The key that `mapKey` was given (0 for -0); `undefined` for un-keyed. */
export function keyOf(key: MapKey): Key | undefined {
  if (typeof key !== 'string' || key.charCodeAt(0) !== 0) return key;
  if (key === unKeyed) return undefined;
  if (key.startsWith(escaped)) return key.slice(escaped.length);
  if (key.startsWith(tuple)) return atomsOf(key);
  throw new InternalError(`${inspect(key)} is not a key in map form. Please report this.`);
}

function atomsOf(text: string): KeyAtom[] {
  const atoms: KeyAtom[] = [];
  let at = tuple.length;
  while (at < text.length) {
    const type = text[at++];
    if (type === 'T' || type === 'F') {
      atoms.push(type === 'T');
      continue;
    }
    const end = text.indexOf(type === 's' ? ':' : ';', at);
    const head = text.slice(at, end);
    at = end + 1;
    if (type === 's') {
      atoms.push(text.slice(at, at + Number(head)));
      at += Number(head);
    } else {
      atoms.push(type === 'i' ? BigInt(head) : Number(head));
    }
  }
  return atoms;
}

function invalid(part: unknown, key: unknown): InvalidKeyError {
  const show = (value: unknown) =>
    inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 80 });
  const where = part === key ? '' : `, which holds ${show(part)}`;
  return new InvalidKeyError(
    `${show(key)}${where} cannot be a key: a key is a string, number, bigint, boolean or a flat tuple of them. ` +
      'Select such a part of the value (keyBy(v => v.id), keyBy(v => [v.shop, v.day])).',
  );
}
