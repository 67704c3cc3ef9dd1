import { types } from 'node:util';

/** Deeper parts, and more of them, are not looked at. */
const maxDepth = 3;
const maxParts = 100;
/** States that are looked at from the beginning, and how many go by between two looks after those. */
const firstLooks = 16;
const pause = 1_024;
/** Bytes of one array that are compared. */
const maxBytes = 1_024;

interface Watched {
  readonly value: object;
  readonly path: string;
  readonly print: number;
}

/**
 * Notices when a handler changes a date or a typed array of its state in place: these cannot be frozen, and such a change
 * would be missing in snapshots. An aid for development, not a guarantee: it looks at a bounded part of a state, and only
 * once it has met a state of the actor that holds such a value. Where none does, it costs next to nothing.
 */
export class InPlaceWatch {
  private isNeeded = false;
  private looks = 0;
  private untilLook = 0;
  private turn = 0;
  private watched: Watched[] = [];

  /** Remembers what the state holds, before a handler is called; answers whether to ask `changed` after it. */
  before(state: object | null): boolean {
    if (state === null) return false;
    if (!this.isNeeded) {
      if (this.untilLook > 0) {
        this.untilLook--;
        return false;
      }
      this.looks++;
      if (this.looks >= firstLooks) this.untilLook = pause;
    }
    this.turn++;
    this.watched = this.watchedOf(state);
    this.isNeeded ||= this.watched.length > 0;
    return this.watched.length > 0;
  }

  /** What has changed in place since `before`: its class and the path to it. */
  changed(): { readonly what: string; readonly path: string } | undefined {
    const spoiled = this.watched.find(({ value, print }) => !Object.is(this.printOf(value), print));
    this.watched = [];
    return spoiled && { what: spoiled.value.constructor.name, path: spoiled.path };
  }

  private watchedOf(state: object): Watched[] {
    const found: Watched[] = [];
    let parts = 0;
    const visit = (value: unknown, path: string, depth: number): void => {
      if (typeof value !== 'object' || value === null) return;
      if (isUnfreezable(value)) found.push({ value, path, print: this.printOf(value) });
      else if (depth < maxDepth) {
        for (const [step, part] of partsOf(value)) {
          if (parts++ >= maxParts) return;
          visit(part, path + step, depth + 1);
        }
      }
    };
    visit(state, '', 0);
    return found;
  }

  /** A number that differs, but for rare chance, when the content does; of a large array a part that changes each time. */
  private printOf(value: object): number {
    if (types.isDate(value)) return value.getTime();
    const bytes = types.isArrayBufferView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : new Uint8Array(value as ArrayBuffer);
    const stride = Math.max(1, Math.ceil(bytes.length / maxBytes));
    let print = bytes.length;
    for (let i = this.turn % stride; i < bytes.length; i += stride)
      print = (Math.imul(print, 31) + (bytes[i] as number)) | 0;
    return print;
  }
}

function isUnfreezable(value: object): boolean {
  return types.isDate(value) || types.isArrayBufferView(value) || types.isAnyArrayBuffer(value);
}

function* partsOf(value: object): Iterable<[string, unknown]> {
  if (Array.isArray(value)) for (const [i, part] of value.entries()) yield [`[${i}]`, part];
  else if (types.isMap(value)) for (const [key, part] of value) yield [`.get(${String(key)})`, part];
  else if (types.isSet(value)) for (const part of value) yield ['.values()', part];
  else for (const name in value) yield [`.${name}`, (value as Record<string, unknown>)[name]];
}
