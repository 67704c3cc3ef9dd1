import {
  type ActorContext,
  type DataStream,
  firstWhere,
  type KeyOrNone,
  type MapState,
  mapState,
  type Side,
} from '../../lib/index.ts';
import { connect } from '../connect.ts';
import type { EnrichSettings } from './enrich-latest.ts';
import { recordTime } from './record-time.ts';

export interface AsOfSettings<O> extends EnrichSettings<O> {
  readonly retention: number;
  readonly late: Side<unknown>;
}

/**
 * The table's value at a record's time. Records wait for the watermark, by time; values are versions, by the time from which they
 * are valid. Each time has a timer: where a record's turn comes, and where a version leaves those before it behind.
 */
export function enrichAsOf<T, V, O, const K extends KeyOrNone>(
  operator: string,
  name: string,
  stream: DataStream<T, K>,
  table: DataStream<V, K>,
  { isOuter, result, isRemoval, retention, late }: AsOfSettings<O>,
): DataStream<O, K> {
  type Context = Omit<ActorContext<O, K>, 'states'> & {
    readonly states: { waiting: MapState<number, readonly T[]>; versions: MapState<number, Version<V>> };
  };

  /** The time of the version that is valid at `time`. */
  const validAt = (time: number, versions: Context['states']['versions']): number | undefined => {
    const sorted = versions.sortedKeys();
    return sorted[firstWhere(sorted, from => from > time) - 1];
  };

  const emit = (records: readonly T[], time: number, ctx: Context): void => {
    const from = validAt(time, ctx.states.versions);
    const value = from === undefined ? undefined : ctx.states.versions.get(from)?.[0];
    if (value === undefined && !isOuter) return;
    for (const record of records) ctx.emit(result(record, value), time);
  };

  /** Drops what no record can ask for that is not late at the watermark `time`. */
  const tidy = (time: number, { versions }: Context['states']): void => {
    const base = validAt(time - retention, versions);
    if (base === undefined) return;
    for (const from of versions.sortedKeys()) {
      if (from >= base) break;
      versions.delete(from);
    }
    if (versions.get(base)?.length === 0) versions.delete(base);
  };

  return connect<T, V, undefined, O, K, States<T, V>>(name, stream, table, {
    update: 'return',
    sides: [late],
    states: { waiting: mapState<number, readonly T[]>(), versions: mapState<number, Version<V>>() },
    initial: () => undefined,
    left(_, record, ctx) {
      const time = recordTime(operator, ctx);
      const { waiting } = ctx.states;
      if (time > ctx.watermark) {
        waiting.set(time, [...(waiting.get(time) ?? []), record]);
        ctx.timers.atEventTime(time);
      } else if (time + retention > ctx.watermark) emit([record], time, ctx);
      else ctx.side(late, record);
    },
    right(_, value, ctx) {
      const time = recordTime(operator, ctx);
      const { versions } = ctx.states;
      versions.set(time, isRemoval(value) ? [] : [value]);
      if (time + retention > ctx.watermark) ctx.timers.atEventTime(time + retention);
      else tidy(ctx.watermark, ctx.states);
    },
    onTimer(_, time, ctx) {
      const { waiting } = ctx.states;
      const records = waiting.get(time);
      if (records) {
        emit(records, time, ctx);
        waiting.delete(time);
      }
      tidy(time, ctx.states);
    },
  });
}

/** The value from a time on; empty where there is none from then. */
type Version<V> = readonly [V] | readonly [];

interface States<T, V> {
  readonly waiting: ReturnType<typeof mapState<number, readonly T[]>>;
  readonly versions: ReturnType<typeof mapState<number, Version<V>>>;
}
