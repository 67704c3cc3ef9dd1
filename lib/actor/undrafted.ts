import { current } from 'immer';
import { isDraft } from './state-update.ts';

/** Drafts are looked for in objects and arrays that lie this deep in one another. */
const maxDepth = 4;

/**
 * The value with the drafts in it as they are now, since a draft ends with its handler: `{ total: state.total }` may be
 * emitted like the state itself. The value is copied where it holds a draft, and is otherwise the same.
 */
export function undrafted(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isDraft(value)) return current(value);
  // What is frozen was finished before; what is inside an instance is its class's own business.
  if (depth === maxDepth || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return undraftedArray(value, depth + 1);
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? undraftedObject(value, depth + 1) : value;
}

function undraftedArray(value: readonly unknown[], depth: number): unknown {
  let copy: unknown[] | undefined;
  for (let i = 0; i < value.length; i++) {
    const part = undrafted(value[i], depth);
    if (Object.is(part, value[i])) continue;
    copy ??= [...value];
    copy[i] = part;
  }
  return copy ?? value;
}

function undraftedObject(value: object, depth: number): unknown {
  let copy: object | undefined;
  for (const name of Object.keys(value)) {
    const before = (value as Record<string, unknown>)[name];
    const part = undrafted(before, depth);
    if (Object.is(part, before)) continue;
    copy ??= Object.create(Object.getPrototypeOf(value), Object.getOwnPropertyDescriptors(value)) as object;
    Object.defineProperty(copy, name, { value: part, writable: true, enumerable: true, configurable: true });
  }
  return copy ?? value;
}
