import { type DataStream, type Duration, JobDefinitionError, type KeyOrNone, type Side } from '../lib/index.ts';
import { enrichAsOf } from './joins/enrich-as-of.ts';
import { enrichLatest } from './joins/enrich-latest.ts';
import { type JoinedPair, pairing } from './joins/options.ts';
import { knownOptions } from './options/known-options.ts';
import { msOf } from './windows/options.ts';

export interface EnrichOptions<T, V, O, J extends 'inner' | 'left'> {
  /**
   * Which value of the table a record gets. `latest`: the one that is there when the record comes, which is another one where the
   * two streams come in another order. `record`: the one that was valid at the record's event time, whatever the order.
   */
  readonly asOf: 'record' | 'latest';
  /** `inner` (default): a record without a value in the table is dropped; `left`: it goes on with `undefined`. */
  readonly type?: J;
  /** Makes the result; `[record, value]` when it is left out. */
  readonly result?: (...pair: JoinedPair<T, NonNullable<V>>[J]) => O;
  /** Whether a record of the table removes the value of its key. `undefined` and `null` always do. */
  readonly deletes?: (value: NonNullable<V>) => boolean;
  /**
   * With `asOf: 'record'`: how long past values of the table are kept behind the watermark, for records that come late; 0 when
   * left out.
   */
  readonly retention?: Duration;
  /** With `asOf: 'record'`: where records go that come later than that; without a tag they are dropped and counted. */
  readonly late?: Side<T>;
}

/**
 * Adds to each record of a stream the value that a table has for its key; the table is the stream of its changes.
 *
 *     stream  -a---b-B-c-----|      asOf 'latest'; B is a barrier
 *     table   ---p---B---q---|
 *     out     -----s-B-t-----|      s: [b, p], t: [c, p]; with type 'left' also [a, undefined]
 *
 * Emits when a record comes, with `asOf: 'latest'`; with `asOf: 'record'` when the watermark has reached its time, as the table
 * can change for that time until then. The result has the record's time. Order within one time is not promised.
 * Of two changes of the table for one time the one that came last counts. A change that comes late counts for the records that
 * come after it, unless the table has a newer value that it keeps.
 * State: the value of each key in the table, forgotten when it is removed; with `asOf: 'record'` also the records that wait, and
 * the values that the watermark (less `retention`) has not left behind.
 * Fails when `result` or `deletes` throws, or with `asOf: 'record'` a record has no timestamp; what happens then is the actor's
 * supervision.
 */
export function enrich<
  T,
  V,
  const K extends KeyOrNone,
  J extends 'inner' | 'left' = 'inner',
  O = JoinedPair<T, NonNullable<V>>[J],
>(
  name: string,
  stream: DataStream<T, K>,
  table: DataStream<V, K>,
  options: EnrichOptions<T, V, O, J>,
): DataStream<O, K> {
  const operator = `enrich("${name}")`;
  knownOptions(operator, options, ['asOf', 'type', 'result', 'deletes', 'retention', 'late']);
  const { asOf, type = 'inner', deletes, late } = options;
  if (asOf !== 'record' && asOf !== 'latest') {
    throw new JobDefinitionError(
      `${operator}: asOf is ${JSON.stringify(asOf)}: give "latest" (what the table has when a record comes) or "record" (what was ` +
        "valid at the record's time).",
    );
  }
  if (type !== 'inner' && type !== 'left') {
    throw new JobDefinitionError(`${operator}: type is ${JSON.stringify(type)}: it is "inner" or "left".`);
  }
  if (deletes !== undefined && typeof deletes !== 'function') {
    throw new JobDefinitionError(`${operator}: deletes is no function: it says of a value whether it removes its key.`);
  }
  const retention = msOf(operator, 'retention', options.retention, 0);
  if (asOf === 'latest' && (retention !== undefined || late !== undefined)) {
    throw new JobDefinitionError(
      `${operator}: retention and late are for asOf: "record"; with "latest" nothing waits and nothing is late.`,
    );
  }
  const settings = {
    isOuter: type === 'left',
    result: pairing<O>(operator, options.result),
    isRemoval: (value: unknown): boolean =>
      value === undefined || value === null || deletes?.(value as NonNullable<V>) === true,
  };
  if (asOf === 'latest') return enrichLatest(name, stream, table, settings);
  return enrichAsOf(operator, name, stream, table, {
    ...settings,
    retention: retention ?? 0,
    late: late ?? { name: `${name}-late` },
  });
}
