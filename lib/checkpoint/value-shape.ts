import { types } from 'node:util';

/** msgpack brings the value back unchanged as it is. */
export const PLAIN = 0;
/** It needs the tagged form (tagged-value.ts). */
export const SPECIAL = 1;
/** It cannot be brought back unchanged. */
export const UNSUPPORTED = 2;
export type Shape = typeof PLAIN | typeof SPECIAL | typeof UNSUPPORTED;

/** Deeper values, and cyclic ones, are refused: reading them back would exhaust the stack. */
export const maxDepth = 500;

/** What can be written of typed arrays; the order is part of the format, so add only at the end. */
export const binaryTypes: readonly (BinaryConstructor | undefined)[] = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  (globalThis as unknown as Record<string, BinaryConstructor | undefined>).Float16Array,
  Buffer as unknown as BinaryConstructor,
];
const binaryPrototypes = new Set<unknown>(binaryTypes.map(type => type?.prototype));

export interface BinaryConstructor {
  readonly prototype: object;
  readonly name: string;
  new (buffer: ArrayBuffer): ArrayBufferView;
}

/**
 * Whether an object may have the property in msgpack: its reader renames `__proto__`, its writer asks `constructor` for the
 * class and calls `toJSON`, and UTF-8 merges lone surrogates.
 */
export function isPlainName(name: string): boolean {
  return name !== '__proto__' && name !== 'constructor' && name !== 'toJSON' && name.isWellFormed();
}

/** In which way the value can be written; stops at the first part that cannot. */
export function shapeOf(value: unknown, depth = 0): Shape {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? PLAIN : SPECIAL;
    case 'number':
      return Object.is(value, -0) ? SPECIAL : PLAIN;
    case 'boolean':
    case 'undefined':
      return PLAIN;
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? PLAIN : SPECIAL;
    case 'object':
      return value === null ? PLAIN : shapeOfObject(value, depth + 1);
    default:
      return UNSUPPORTED;
  }
}

function shapeOfObject(value: object, depth: number): Shape {
  if (depth > maxDepth || Object.getOwnPropertySymbols(value).length > 0) return UNSUPPORTED;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return shapeOfProperties(value, depth);
  if (prototype === null) return Math.max(SPECIAL, shapeOfProperties(value, depth)) as Shape;
  if (Array.isArray(value)) return prototype === Array.prototype ? shapeOfArray(value, depth) : UNSUPPORTED;
  if (ArrayBuffer.isView(value))
    return binaryPrototypes.has(prototype) && isOwnBuffer(value.buffer) ? SPECIAL : UNSUPPORTED;
  // Names only where they can be enumerated: Immer freezes a Map or Set with hidden methods of its own.
  if (Object.keys(value).length > 0) return UNSUPPORTED;
  if (prototype === Map.prototype && types.isMap(value)) {
    for (const [key, item] of value) {
      if (shapeOf(key, depth) === UNSUPPORTED || shapeOf(item, depth) === UNSUPPORTED) return UNSUPPORTED;
    }
    return SPECIAL;
  }
  if (prototype === Set.prototype && types.isSet(value)) {
    for (const item of value) if (shapeOf(item, depth) === UNSUPPORTED) return UNSUPPORTED;
    return SPECIAL;
  }
  if (prototype === Date.prototype && types.isDate(value)) return SPECIAL;
  return prototype === ArrayBuffer.prototype && isOwnBuffer(value) ? SPECIAL : UNSUPPORTED;
}

function isOwnBuffer(buffer: object): boolean {
  return types.isArrayBuffer(buffer) && !buffer.resizable && !buffer.detached;
}

function shapeOfProperties(value: object, depth: number): Shape {
  let shape: Shape = PLAIN;
  for (const name of Object.getOwnPropertyNames(value)) {
    const property = Object.getOwnPropertyDescriptor(value, name);
    if (!property?.enumerable || property.get !== undefined || property.set !== undefined) return UNSUPPORTED;
    if (!isPlainName(name)) shape = SPECIAL;
    const part = shapeOf(property.value, depth);
    if (part === UNSUPPORTED) return UNSUPPORTED;
    if (part === SPECIAL) shape = SPECIAL;
  }
  return shape;
}

function shapeOfArray(value: readonly unknown[], depth: number): Shape {
  if (Object.keys(value).length !== value.length) return UNSUPPORTED; // a hole, or a named property
  let shape: Shape = PLAIN;
  for (let i = 0; i < value.length; i++) {
    const item = value[i];
    if (item === undefined && !Object.hasOwn(value, i)) return UNSUPPORTED;
    const part = shapeOf(item, depth);
    if (part === UNSUPPORTED) return UNSUPPORTED;
    if (part === SPECIAL) shape = SPECIAL;
  }
  return shape;
}
