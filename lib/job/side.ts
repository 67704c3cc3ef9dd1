import type { Side } from './handle.ts';

/** A tag for a side output, or for `to(tag)`; two with the same name are the same. */
export function side<V>(name: string): Side<V> {
  return { name };
}
