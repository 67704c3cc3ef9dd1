import type { DataStream, KeyOrNone } from '../../lib/index.ts';
import { connect } from '../connect.ts';

export interface EnrichSettings<O> {
  /** Whether a record without a value gives a result. */
  readonly isOuter: boolean;
  readonly result: (record: unknown, value: unknown) => O;
  /** Whether a record of the table removes the value of its key. */
  readonly isRemoval: (value: unknown) => boolean;
}

/** The table's value when a record comes. */
export function enrichLatest<T, V, O, const K extends KeyOrNone>(
  name: string,
  stream: DataStream<T, K>,
  table: DataStream<V, K>,
  { isOuter, result, isRemoval }: EnrichSettings<O>,
): DataStream<O, K> {
  return connect<T, V, V | undefined, O, K>(name, stream, table, {
    update: 'return',
    initial: () => undefined,
    left(value, record, ctx) {
      if (value !== undefined || isOuter) ctx.emit(result(record, value));
    },
    right(_, value, ctx) {
      if (!isRemoval(value)) return value;
      ctx.forget();
      return undefined;
    },
  });
}
