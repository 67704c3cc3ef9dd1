import { inspect, types } from 'node:util';
import { UnsupportedStateError } from '../errors.ts';
import { maxDepth, shapeOf, UNSUPPORTED } from './value-shape.ts';

/** The error for a value whose shape is `UNSUPPORTED`: names the path to the first part that cannot be written, and why. */
export function unsupported(value: unknown): UnsupportedStateError {
  const { path, reason } = culprit(value, '', []) ?? { path: '', reason: 'changed while it was read' };
  return new UnsupportedStateError(
    `State ${path === '' ? 'itself' : `at ${path}`} ${reason}; a snapshot could not bring it back unchanged. ` +
      'Keep plain data in state: JSON values, undefined, bigint, Date, Map, Set, typed arrays and ArrayBuffer.',
    { context: { path } },
  );
}

interface Culprit {
  readonly path: string;
  readonly reason: string;
}

function culprit(value: unknown, path: string, above: readonly object[]): Culprit | undefined {
  if (shapeOf(value, above.length) !== UNSUPPORTED) return undefined;
  if (typeof value !== 'object' || value === null) return { path, reason: `is a ${typeof value}` };
  if (above.includes(value)) return { path, reason: 'is an object that contains it (a cycle)' };
  if (above.length >= maxDepth) return { path, reason: `is nested more than ${maxDepth} levels deep` };
  return (
    ownReason(value, path) ?? firstOf(partsOf(value), path, [...above, value]) ?? { path, reason: describe(value) }
  );
}

function firstOf(parts: Iterable<[string, unknown]>, path: string, above: readonly object[]): Culprit | undefined {
  for (const [step, part] of parts) {
    const found = culprit(part, path + step, above);
    if (found) return found;
  }
  return undefined;
}

/** What is wrong with the properties of an object that may have any, apart from their values. */
function ownReason(value: object, path: string): Culprit | undefined {
  const symbol = Object.getOwnPropertySymbols(value)[0];
  if (symbol) return { path: `${path}[${String(symbol)}]`, reason: 'has a symbol for a name' };
  const prototype = Object.getPrototypeOf(value);
  if (Array.isArray(value) && prototype === Array.prototype) {
    const hole = Array.from(value.keys()).find(i => !Object.hasOwn(value, i));
    if (hole !== undefined) return { path: `${path}[${hole}]`, reason: 'is a hole in an array' };
    const name = Object.keys(value)[value.length];
    return name === undefined ? undefined : { path: path + step(name), reason: 'is a named property of an array' };
  }
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (property.get || property.set) return { path: path + step(name), reason: 'is an accessor (get or set)' };
    if (!property.enumerable) return { path: path + step(name), reason: 'is a property that is not enumerable' };
  }
  return undefined;
}

function* partsOf(value: object): Iterable<[string, unknown]> {
  if (types.isMap(value)) {
    let i = 0;
    for (const [key, item] of value) {
      yield [`.keys()[${i++}]`, key];
      yield [`.get(${inspect(key, { depth: 0 })})`, item];
    }
  } else if (types.isSet(value)) {
    let i = 0;
    for (const item of value) yield [`.values()[${i++}]`, item];
  } else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) yield [`[${i}]`, value[i]];
  } else if (describe(value) === 'is an object') {
    for (const [name, item] of Object.entries(value)) yield [step(name), item];
  }
}

function step(name: string): string {
  return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function describe(value: object): string {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return 'is an object';
  const name: unknown = prototype.constructor?.name;
  return `is an instance of ${typeof name === 'string' && name !== '' ? name : 'an unnamed class'}${
    Object.keys(value).length > 0 && (types.isMap(value) || types.isSet(value) || types.isDate(value))
      ? ' with properties'
      : ''
  }`;
}
