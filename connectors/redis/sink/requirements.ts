/** Types of keys, in Redis' own words. */
export type KeyType = 'string' | 'hash' | 'list' | 'zset' | 'stream';

/**
 * What the commands of one part need of a key that is there before them, and what they leave. For Lua:
 * key, type ('' for any, 'integer' for a string that is one), type afterwards, whether it was replaced ('1'), the sum of all
 * |increments| of the old value, then the same for fields: name, sum.
 */
export type Requirement = readonly string[];

/** A value as far as the commands so far tell it; `text` when it is no whole number. */
type Known = bigint | 'text' | undefined;

interface KeyState {
  readonly needs: KeyType | undefined;
  now: KeyType | 'none';
  /** Whether nothing is left of what was there before. */
  isReplaced: boolean;
  /** Of a string: what it is now, and the sum of |increments| of what was there before. */
  value: Known;
  added: bigint;
  /** The same for the fields of a hash. */
  fields: Map<string, Known> | undefined;
  addedTo: Map<string, bigint> | undefined;
}

const least = -(2n ** 63n);
const most = 2n ** 63n - 1n;

/**
 * Follows what commands do to keys, so that Redis can be asked before the first of them whether all of them will do: its
 * scripts do not roll back. Commands that contradict one another throw, with a message for the author of the job.
 */
export class Requirements {
  readonly #keys = new Map<string, KeyState>();

  set(key: string, value: string | undefined): void {
    const state = this.#replaced(key);
    state.now = 'string';
    state.value = wholeNumber(value);
  }

  delete(key: string): void {
    const state = this.#replaced(key);
    state.now = 'none';
    state.value = 0n;
  }

  /** A command that only needs the type to be right. */
  write(key: string, type: KeyType): void {
    this.#typed(key, type);
  }

  increment(key: string, by: bigint): void {
    const state = this.#typed(key, 'string');
    if (state.value === undefined) state.added += by < 0n ? -by : by;
    else state.value = sum(state.value, by, nameOf(key));
  }

  hashSet(key: string, field: string, value: string | undefined): void {
    fieldsOf(this.#typed(key, 'hash')).set(field, wholeNumber(value));
  }

  hashIncrement(key: string, field: string, by: bigint): void {
    const state = this.#typed(key, 'hash');
    const before = state.fields?.get(field) ?? (state.isReplaced ? 0n : undefined);
    if (before === undefined) {
      state.addedTo ??= new Map();
      state.addedTo.set(field, (state.addedTo.get(field) ?? 0n) + (by < 0n ? -by : by));
      return;
    }
    fieldsOf(state).set(field, sum(before, by, nameOf(key, field)));
  }

  /** How many keys. */
  get size(): number {
    return this.#keys.size;
  }

  *rows(): Generator<Requirement, undefined> {
    for (const [key, { needs, now, isReplaced, added, addedTo }] of this.#keys) {
      // Only increments need a string.
      const type = needs === 'string' ? 'integer' : (needs ?? '');
      const fields = [...(addedTo ?? [])].flatMap(([field, sum]) => [field, String(sum)]);
      yield [key, type, now, isReplaced ? '1' : '0', String(added), ...fields];
    }
  }

  /**
   * Throws when this part contradicts what parts before it leave; they were carried over from abandoned checkpoints. Answers
   * whether it needs less now: Redis is not asked about the field of a hash that they set.
   */
  verifyBehind(earlier: readonly Requirements[]): boolean {
    let needsLess = false;
    for (const [key, { needs, added, addedTo }] of this.#keys) {
      if (needs === undefined) continue;
      const before = earlier.flatMap(part => part.#keys.get(key) ?? []).reverse();
      const now = before[0]?.now ?? 'none';
      if (now !== 'none' && now !== needs) throw contradiction(key, now, needs);
      if (needs === 'string') verifyRoom(before.find(({ value }) => value !== undefined)?.value, added, nameOf(key));
      for (const [field, sum] of addedTo ?? []) {
        const last = before.find(({ fields, isReplaced }) => isReplaced || fields?.has(field));
        const known = last?.fields?.get(field);
        verifyRoom(known, sum, nameOf(key, field));
        if (known !== undefined) needsLess = addedTo?.delete(field) || needsLess;
      }
    }
    return needsLess;
  }

  #begin(key: string, needs: KeyType | undefined): KeyState {
    const state: KeyState = {
      needs,
      now: needs ?? 'none',
      isReplaced: false,
      value: undefined,
      added: 0n,
      fields: undefined,
      addedTo: undefined,
    };
    this.#keys.set(key, state);
    return state;
  }

  #replaced(key: string): KeyState {
    const state = this.#keys.get(key) ?? this.#begin(key, undefined);
    state.isReplaced = true;
    state.fields = undefined;
    return state;
  }

  #typed(key: string, type: KeyType): KeyState {
    const state = this.#keys.get(key) ?? this.#begin(key, type);
    if (state.now === 'none') state.now = type;
    if (state.now === type) return state;
    throw contradiction(key, state.now, type);
  }
}

function contradiction(key: string, now: string, type: string): Error {
  return new Error(
    `${nameOf(key)} is made a ${now} and used as a ${type} between two checkpoints; use another key, or delete it in between`,
  );
}

const nameOf = (key: string, field?: string): string =>
  `${field === undefined ? '' : `field ${JSON.stringify(field)} of `}key ${JSON.stringify(key)}`;

function verifyRoom(known: Known, added: bigint, what: string): void {
  if (known === undefined) return;
  sum(known, added, what);
  sum(known, -added, what);
}

function fieldsOf(state: KeyState): Map<string, Known> {
  state.fields ??= new Map();
  return state.fields;
}

function sum(known: bigint | 'text', by: bigint, what: string): bigint {
  if (known === 'text') throw new Error(`${what} was set to a text, and cannot be incremented`);
  const next = known + by;
  if (next < least || next > most) throw new Error(`${what} would leave the range of 64-bit whole numbers`);
  return next;
}

/** As Redis reads whole numbers: no sign but minus, no leading zeros, 64 bits. `undefined` stands for bytes. */
function wholeNumber(text: string | undefined): bigint | 'text' {
  if (text === undefined || text.length > 20 || !/^(?:0|-?[1-9]\d*)$/.test(text)) return 'text';
  const value = BigInt(text);
  return value < least || value > most ? 'text' : value;
}
