import { StateLostError } from '../errors.ts';
import { type BinaryConstructor, binaryTypes, isPlainName } from './value-shape.ts';

// Values that msgpack alone would alter, as a tree that it does not: an array in the tree is always [tag, ...content].
// The numbers are part of the segment format.
const ARRAY = 0; // items
const OBJECT = 1; // name, value, name, value, …: where a name is not plain
const NULL_OBJECT = 2; // the same, without a prototype
const TEXT = 3; // UTF-16, for lone surrogates
const MINUS_ZERO = 4;
const BIGINT = 5; // hexadecimal text
const DATE = 6; // ms since 1970, NaN for an invalid one
const MAP = 7; // key, value, key, value, …
const SET = 8; // items
const BUFFER = 9; // bytes
const BINARY = 10; // index in `binaryTypes`, bytes (little-endian, as on every platform that Node supports)

/** The tagged form of a value whose shape is `SPECIAL` (or `PLAIN`). */
export function toTagged(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? value : [TEXT, Buffer.from(value, 'utf16le')];
    case 'number':
      return Object.is(value, -0) ? [MINUS_ZERO] : value;
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? value : [BIGINT, value.toString(16)];
    case 'object':
      return value === null ? null : taggedObject(value);
    default:
      return value;
  }
}

function taggedObject(value: object): unknown {
  if (Array.isArray(value)) {
    const tree: unknown[] = [ARRAY];
    for (const item of value) tree.push(toTagged(item));
    return tree;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return taggedProperties(value, prototype);
  if (prototype === Map.prototype) {
    const tree: unknown[] = [MAP];
    for (const [key, item] of value as Map<unknown, unknown>) tree.push(toTagged(key), toTagged(item));
    return tree;
  }
  if (prototype === Set.prototype) {
    const tree: unknown[] = [SET];
    for (const item of value as Set<unknown>) tree.push(toTagged(item));
    return tree;
  }
  if (prototype === Date.prototype) return [DATE, (value as Date).getTime()];
  if (ArrayBuffer.isView(value)) {
    const type = binaryTypes.findIndex(({ prototype: known } = {} as BinaryConstructor) => known === prototype);
    return [BINARY, type, new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
  }
  return [BUFFER, new Uint8Array(value as ArrayBuffer)];
}

function taggedProperties(value: object, prototype: object | null): unknown {
  const names = Object.keys(value);
  const properties = value as Record<string, unknown>;
  if (prototype !== null && names.every(isPlainName)) {
    const tree: Record<string, unknown> = {};
    for (const name of names) tree[name] = toTagged(properties[name]);
    return tree;
  }
  const tree: unknown[] = [prototype === null ? NULL_OBJECT : OBJECT];
  for (const name of names) tree.push(toTagged(name), toTagged(properties[name]));
  return tree;
}

/** The value of a tagged form; may reuse its objects. */
export function fromTagged(tree: unknown): unknown {
  if (typeof tree !== 'object' || tree === null) return tree;
  if (Array.isArray(tree)) return fromTag(tree);
  const properties = tree as Record<string, unknown>;
  for (const name of Object.keys(properties)) properties[name] = fromTagged(properties[name]);
  return properties;
}

function fromTag(tree: readonly unknown[]): unknown {
  const content = tree[1];
  switch (tree[0]) {
    case ARRAY:
      return tree.slice(1).map(fromTagged);
    case OBJECT:
      return withProperties({}, tree);
    case NULL_OBJECT:
      return withProperties(Object.create(null), tree);
    case TEXT:
      return Buffer.from(content as Uint8Array).toString('utf16le');
    case MINUS_ZERO:
      return -0;
    case BIGINT: {
      const text = content as string;
      return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
    }
    case DATE:
      return new Date(content as number);
    case MAP: {
      const map = new Map<unknown, unknown>();
      for (let i = 1; i < tree.length; i += 2) map.set(fromTagged(tree[i]), fromTagged(tree[i + 1]));
      return map;
    }
    case SET:
      return new Set(tree.slice(1).map(fromTagged));
    case BUFFER:
      return ownBuffer(content as Uint8Array);
    case BINARY: {
      const type = binaryTypes[content as number];
      if (!type) throw unreadable(`typed array ${content}`);
      const buffer = ownBuffer(tree[2] as Uint8Array);
      return (type as unknown) === Buffer ? Buffer.from(buffer) : new type(buffer);
    }
    default:
      throw unreadable(`type ${tree[0]}`);
  }
}

function withProperties(object: object, tree: readonly unknown[]): object {
  for (let i = 1; i < tree.length; i += 2) {
    // Defined, not set: an own `__proto__` must not become the prototype.
    Object.defineProperty(object, fromTagged(tree[i]) as string, {
      value: fromTagged(tree[i + 1]),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return object;
}

function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function unreadable(what: string): StateLostError {
  return new StateLostError(
    `A snapshot holds a value of ${what}, which this version of Tidemark cannot read on this version of Node. ` +
      'Run the versions that wrote it, or newer ones.',
  );
}
