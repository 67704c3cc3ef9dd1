import {
  type ActorContext,
  type DataStream,
  type Duration,
  JobDefinitionError,
  type KeyOrNone,
  type MapState,
  mapState,
  type Side,
} from '../lib/index.ts';
import { connect } from './connect.ts';
import {
  type JoinedPair,
  type JoinOptions,
  type JoinType,
  lateSides,
  outerSides,
  pairing,
  signedMs,
} from './joins/options.ts';
import { recordTime } from './joins/record-time.ts';
import { knownOptions } from './options/known-options.ts';
import { msOf } from './windows/options.ts';

export interface IntervalJoinOptions<L, R, O, J extends JoinType> extends JoinOptions<L, R, O, J> {
  /** How far behind the left record the right one is at least; before it where negative (`'-10s'`). It counts in itself. */
  readonly lower: Duration;
  /** How far behind the left record the right one is at most. It counts in itself. */
  readonly upper: Duration;
  /** How far behind the watermark a record may be and still be joined; 0 when left out. State is kept for that much longer. */
  readonly allowedLateness?: Duration;
}

/**
 * Joins records of one key by the distance of their times: each right record from `lower` to `upper` behind a left one.
 *
 *     left   -a--------B------|      a at 10, lower 0, upper 5
 *     right  ----p--q--B-r--W-|      p at 10, q at 15, r at 16; B a barrier, W a watermark
 *     out    ----s--t--B----W-|      s: [a, p] at 10, t: [a, q] at 15; with type 'full' also [undefined, r] at W
 *
 * Emits when a record meets a partner, whichever comes last, with the later time of both; order within one time is not promised.
 * With `type` `left` or `full`, a record without a partner is emitted when the watermark rules one out, with the time from
 * which that is certain.
 * A record at or before the watermark (less `allowedLateness`) goes to `lateLeft` or `lateRight`, or is dropped and counted.
 * State: the records of a key that may still meet a partner, in up to 17 entries for each `upper - lower` of time.
 * Fails when `result` throws, or a record has no timestamp; what happens then is the actor's supervision.
 */
export function intervalJoin<L, R, const K extends KeyOrNone, J extends JoinType = 'inner', O = JoinedPair<L, R>[J]>(
  name: string,
  left: DataStream<L, K>,
  right: DataStream<R, K>,
  options: IntervalJoinOptions<L, R, O, J>,
): DataStream<O, K> {
  const operator = `intervalJoin("${name}")`;
  knownOptions(operator, options, ['lower', 'upper', 'allowedLateness', 'type', 'result', 'lateLeft', 'lateRight']);
  const lower = signedMs(operator, 'lower', options.lower);
  const upper = signedMs(operator, 'upper', options.upper);
  if (lower > upper) {
    throw new JobDefinitionError(
      `${operator}: lower is ${lower} ms, above upper, ${upper} ms: nothing would ever match.`,
    );
  }
  const lateness = msOf(operator, 'allowedLateness', options.allowedLateness, 0) ?? 0;
  const outer = outerSides(operator, options.type);
  const result = pairing(operator, options.result);
  const late = lateSides(name, options);
  const slots = Math.max(1, Math.ceil((upper - lower + 1) / slotsPerInterval));

  const lefts: Input<O> = {
    rows: 'lefts',
    partners: 'rights',
    from: lower,
    to: upper,
    isOuter: outer.left,
    arePartnersOuter: outer.right,
    late: late.left,
    result,
  };
  const rights: Input<O> = {
    rows: 'rights',
    partners: 'lefts',
    from: -upper,
    to: -lower,
    isOuter: outer.right,
    arePartnersOuter: outer.left,
    late: late.right,
    result: (own, partner) => result(partner, own),
  };

  const slotOf = (time: number): number => Math.floor(Math.ceil(time) / slots) * slots;
  /** The watermark at which a record of this time can meet no partner any more; whole ms, so that a timer gives the time back. */
  const lastMoment = ({ to }: Input<O>, time: number): number => Math.ceil(time) + to + lateness;

  const receive = (input: Input<O>, value: unknown, ctx: Context<O, K>): void => {
    const at = recordTime(operator, ctx);
    if (at + lateness <= ctx.watermark) {
      ctx.side(input.late, value);
      return;
    }
    const isMatched = emitPairs(input, value, at, ctx);
    const last = lastMoment(input, at);
    if (last > ctx.watermark) {
      const rows = ctx.states[input.rows];
      const slot = slotOf(at);
      rows.set(slot, [...(rows.get(slot) ?? []), { at, value, isMatched }]);
      ctx.timers.atEventTime(last);
    } else if (input.isOuter && !isMatched) ctx.emit(input.result(value, undefined), Math.max(at, last));
  };

  /** Whether there was one. */
  const emitPairs = (input: Input<O>, value: unknown, at: number, ctx: Context<O, K>): boolean => {
    const partners = ctx.states[input.partners];
    const from = at + input.from;
    const to = at + input.to;
    let found = false;
    for (let slot = slotOf(from); slot <= slotOf(to); slot += slots) {
      const rows = partners.get(slot);
      if (rows === undefined) continue;
      let isNew = false;
      for (const partner of rows) {
        if (partner.at < from || partner.at > to) continue;
        ctx.emit(input.result(value, partner.value), Math.max(at, partner.at));
        found = true;
        isNew ||= !partner.isMatched;
      }
      if (isNew && input.arePartnersOuter) {
        partners.set(
          slot,
          rows.map(row => (row.at < from || row.at > to ? row : { ...row, isMatched: true })),
        );
      }
    }
    return found;
  };

  const expire = (input: Input<O>, moment: number, ctx: Context<O, K>): void => {
    const rows = ctx.states[input.rows];
    const slot = slotOf(moment - input.to - lateness);
    const before = rows.get(slot);
    if (before === undefined) return;
    const after = before.filter(row => lastMoment(input, row.at) > moment);
    if (after.length === before.length) return;
    if (after.length > 0) rows.set(slot, after);
    else rows.delete(slot);
    if (!input.isOuter) return;
    for (const row of before) {
      if (row.isMatched || lastMoment(input, row.at) > moment) continue;
      ctx.emit(input.result(row.value, undefined), Math.max(row.at, moment));
    }
  };

  return connect<L, R, undefined, O, K, States>(name, left, right, {
    update: 'return',
    sides: late.sides,
    states: { lefts: mapState<number, readonly Row[]>(), rights: mapState<number, readonly Row[]>() },
    initial: () => undefined,
    left: (_, value, ctx) => receive(lefts, value, ctx),
    right: (_, value, ctx) => receive(rights, value, ctx),
    onTimer(_, moment, ctx) {
      expire(lefts, moment, ctx);
      expire(rights, moment, ctx);
    },
  });
}

/** Rows are kept in slots of time: more of them make a change cheaper, and a search dearer. */
const slotsPerInterval = 16;

interface Row {
  readonly at: number;
  readonly value: unknown;
  readonly isMatched: boolean;
}

interface States {
  readonly lefts: ReturnType<typeof mapState<number, readonly Row[]>>;
  readonly rights: ReturnType<typeof mapState<number, readonly Row[]>>;
}

type Context<O, K extends KeyOrNone> = Pick<
  ActorContext<O, K>,
  'timestamp' | 'watermark' | 'timers' | 'emit' | 'side'
> & {
  readonly states: Readonly<Record<keyof States, MapState<number, readonly Row[]>>>;
};

/** What the join does with the records of one of its inputs; each is symmetric to the other. */
interface Input<O> {
  /** Where its records wait. */
  readonly rows: keyof States;
  readonly partners: keyof States;
  /** Where a record's partners lie, from its own time, in ms. */
  readonly from: number;
  readonly to: number;
  readonly isOuter: boolean;
  readonly arePartnersOuter: boolean;
  readonly late: Side<unknown>;
  readonly result: (own: unknown, partner: unknown) => O;
}
