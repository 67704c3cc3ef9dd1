import { types } from 'node:util';

/**
 * Where two values differ, as a path, or `undefined` when nothing tells them apart: same primitives by `Object.is`, same
 * prototypes, same own properties in the same order with the same values, same content of collections in the same order.
 */
export function difference(a: unknown, b: unknown, path = 'value'): string | undefined {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return Object.is(a, b) ? undefined : path;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path} (prototype)`;
  if (types.isDate(a)) return Object.is(a.getTime(), (b as Date).getTime()) ? undefined : path;
  if (types.isMap(a)) return difference([...a], [...(b as Map<unknown, unknown>)], `${path}.entries()`);
  if (types.isSet(a)) return difference([...a], [...(b as Set<unknown>)], `${path}.values()`);
  if (types.isAnyArrayBuffer(a)) return difference(new Uint8Array(a), new Uint8Array(b as ArrayBuffer), path);
  if (ArrayBuffer.isView(a)) {
    const bytes = (view: ArrayBufferView) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
    return bytes(a).equals(bytes(b as ArrayBufferView)) ? undefined : path;
  }
  const names = Reflect.ownKeys(a);
  const others = Reflect.ownKeys(b);
  if (names.length !== others.length || names.some((name, i) => name !== others[i])) return `${path} (names)`;
  for (const name of names) {
    const found = difference(
      Object.getOwnPropertyDescriptor(a, name)?.value,
      Object.getOwnPropertyDescriptor(b, name)?.value,
      `${path}[${String(name)}]`,
    );
    if (found) return found;
  }
  return undefined;
}
