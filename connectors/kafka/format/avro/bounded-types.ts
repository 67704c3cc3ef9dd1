import avsc from 'avsc';

/** avsc's cursor over the bytes, as far as it is used here. */
interface Tap {
  readonly buf: Buffer;
  readonly pos: number;
  readLong(): number;
  skipLong(): void;
  readString(): string | undefined;
}

interface ReadableType {
  _read(tap: Tap): unknown;
}

/** Most items without bytes (nulls, empty records) that a block may have. */
const mostEmptyItems = 32;

/*
 * avsc takes the number of items for granted that the bytes name: a few broken ones let it fill the memory, or count to
 * 2^63. These read no more items than there are bytes, and grow with what is there.
 */

class BoundedArrayType extends avsc.types.ArrayType {
  /** Also as a method of avsc's resolvers, which have items of their own. */
  _read(this: { readonly itemsType: unknown }, tap: Tap): unknown[] {
    const items = this.itemsType as ReadableType;
    const values: unknown[] = [];
    readBlocks(tap, () => {
      values.push(items._read(tap));
    });
    return values;
  }

  _skip(tap: Tap): void {
    this._read(tap);
  }
}

class BoundedMapType extends avsc.types.MapType {
  _read(this: { readonly valuesType: unknown }, tap: Tap): Record<string, unknown> {
    const type = this.valuesType as ReadableType;
    const values: Record<string, unknown> = {};
    readBlocks(tap, () => {
      const key = `${tap.readString()}`;
      const value = type._read(tap);
      if (key === '__proto__') Object.defineProperty(values, key, ownProperty(value));
      else values[key] = value;
    });
    return values;
  }

  _skip(tap: Tap): void {
    this._read(tap);
  }
}

const ownProperty = (value: unknown) => ({ value, enumerable: true, configurable: true, writable: true });

function readBlocks(tap: Tap, readItem: () => void): void {
  for (let count = blockCount(tap); count !== 0; count = blockCount(tap)) {
    const begin = tap.pos;
    if (count > tap.buf.length - begin && count > mostEmptyItems) throw cutOff();
    readItem();
    if (tap.pos === begin && count > mostEmptyItems) throw cutOff();
    for (let rest = count - 1; rest > 0 && tap.pos <= tap.buf.length; rest--) readItem();
    if (tap.pos > tap.buf.length) throw cutOff();
  }
}

/** A negative count has the block's length in bytes behind it. */
function blockCount(tap: Tap): number {
  const count = tap.readLong();
  if (count >= 0) return count;
  tap.skipLong();
  return -count;
}

const cutOff = () => new Error('an array or map in it has fewer items than it says');

/** What makes avsc's `typeHook` put these in place of its own arrays and maps. */
export function boundedTypes(logicalTypes: Readonly<Record<string, unknown>> = {}) {
  const inLogicalType = new Set<unknown>();
  return (schema: unknown, options: unknown): avsc.Type | undefined => {
    const { type, logicalType } = (schema ?? {}) as { type?: unknown; logicalType?: unknown };
    if (type !== 'array' && type !== 'map') return undefined;
    // A logical type is asked for first, and asks itself for what is below it.
    if (typeof logicalType === 'string' && Object.hasOwn(logicalTypes, logicalType) && !inLogicalType.has(schema)) {
      inLogicalType.add(schema);
      return undefined;
    }
    const given = schema as avsc.Schema;
    return type === 'array' ? new BoundedArrayType(given, options) : new BoundedMapType(given, options);
  };
}
