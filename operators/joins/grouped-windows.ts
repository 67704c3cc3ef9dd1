import {
  type ActorContext,
  type DataStream,
  type Duration,
  JobDefinitionError,
  type KeyOrNone,
  type MapState,
  mapState,
  type Side,
} from '../../lib/index.ts';
import { connect } from '../connect.ts';
import { msOf, panesOf } from '../windows/options.ts';
import type { Panes } from '../windows/panes.ts';
import { type LateSides, lateSides } from './options.ts';
import { recordTime } from './record-time.ts';

/** A stretch of event time, in ms; it holds its start and not its end. */
export interface TimeWindow {
  readonly start: number;
  readonly end: number;
}

export interface JoinWindowOptions<L, R> extends LateSides<L, R> {
  /** How long a window is. */
  readonly size: Duration;
  /** How far apart windows begin; `size` when left out, so that one follows another. */
  readonly slide?: Duration;
  /** When windows begin: at this time since 1970 and at every multiple of their distance from it; 0 (UTC) when left out. */
  readonly offset?: Duration;
}

/** The results of a window from the records of both inputs in it, of which there is at least one. */
export type GroupResults<L, R, O, K> = (
  key: K,
  lefts: readonly L[],
  rights: readonly R[],
  window: TimeWindow,
) => Iterable<O>;

/**
 * What windows over two inputs do: each record is kept by itself, once, in its pane; when a window is complete, its panes are
 * put together. Each pane has a timer for the next of its windows, which panes share.
 */
export function groupedWindows<L, R, O, const K extends KeyOrNone>(
  operator: string,
  name: string,
  left: DataStream<L, K>,
  right: DataStream<R, K>,
  options: JoinWindowOptions<L, R>,
  results: GroupResults<L, R, O, K>,
): DataStream<O, K> {
  type Context = GroupContext<L, R, O, K>;
  const panes = windowsOf(operator, options);
  const late = lateSides(name, options);

  const receive = (input: 0 | 1, value: unknown, tooLate: Side<unknown>, ctx: Context): void => {
    const pane = panes.paneOf(recordTime(operator, ctx));
    const next = pane === undefined ? undefined : panes.nextEnd(pane, ctx.watermark + 1);
    if (pane === undefined || next === undefined) {
      ctx.side(tooLate, value);
      return;
    }
    const { counts, lefts, rights } = ctx.states;
    const before = counts.get(pane);
    const [leftCount, rightCount] = before ?? none;
    if (input === 0) lefts.set(recordName(pane, leftCount), value as L);
    else rights.set(recordName(pane, rightCount), value as R);
    counts.set(pane, input === 0 ? [leftCount + 1, rightCount] : [leftCount, rightCount + 1]);
    // The timer of a pane that is there already sets the next one.
    if (before === undefined) ctx.timers.atEventTime(next - 1);
  };

  const emit = (end: number, ctx: Context): void => {
    const start = end - panes.size;
    const { counts, lefts, rights } = ctx.states;
    const leftsOfWindow: L[] = [];
    const rightsOfWindow: R[] = [];
    for (const pane of counts.keysBetween(start, end)) {
      const [leftCount, rightCount] = counts.get(pane) ?? none;
      for (let i = 0; i < leftCount; i++) leftsOfWindow.push(lefts.get(recordName(pane, i)) as L);
      for (let i = 0; i < rightCount; i++) rightsOfWindow.push(rights.get(recordName(pane, i)) as R);
    }
    if (leftsOfWindow.length === 0 && rightsOfWindow.length === 0) return;
    for (const result of results(ctx.key, leftsOfWindow, rightsOfWindow, { start, end })) ctx.emit(result, end - 1);
  };

  /** Of the panes of the window that is over at `at`: drops those without another, and sets the timer for the next of the others. */
  const tidy = (at: number, ctx: Context): void => {
    const { counts, lefts, rights } = ctx.states;
    for (const pane of counts.keysBetween(at + 1 - panes.size, at + 1)) {
      const next = panes.nextEnd(pane, at + 1);
      if (next !== undefined) {
        ctx.timers.atEventTime(next - 1);
        continue;
      }
      const [leftCount, rightCount] = counts.get(pane) ?? none;
      for (let i = 0; i < leftCount; i++) lefts.delete(recordName(pane, i));
      for (let i = 0; i < rightCount; i++) rights.delete(recordName(pane, i));
      counts.delete(pane);
    }
  };

  return connect<L, R, undefined, O, K, States<L, R>>(name, left, right, {
    update: 'return',
    sides: late.sides,
    states: { counts: mapState<number, Counts>(), lefts: mapState<string, L>(), rights: mapState<string, R>() },
    initial: () => undefined,
    left: (_, value, ctx) => receive(0, value, late.left, ctx),
    right: (_, value, ctx) => receive(1, value, late.right, ctx),
    onTimer(_, at, ctx) {
      emit(at + 1, ctx);
      if (ctx.watermark < Number.POSITIVE_INFINITY) {
        tidy(at, ctx);
        return;
      }
      // The end of the input: no later timer will fire.
      for (const end of panes.endsBehind(ctx.states.counts.keys(), at + 1)) emit(end, ctx);
      ctx.forget();
    },
  });
}

/** How many records of each input a pane has. */
type Counts = readonly [lefts: number, rights: number];
const none: Counts = [0, 0];

interface States<L, R> {
  readonly counts: ReturnType<typeof mapState<number, Counts>>;
  readonly lefts: ReturnType<typeof mapState<string, L>>;
  readonly rights: ReturnType<typeof mapState<string, R>>;
}

type GroupContext<L, R, O, K extends KeyOrNone> = Omit<ActorContext<O, K>, 'states'> & {
  readonly states: {
    readonly counts: MapState<number, Counts>;
    readonly lefts: MapState<string, L>;
    readonly rights: MapState<string, R>;
  };
};

const recordName = (pane: number, index: number): string => `${pane}/${index}`;

function windowsOf(operator: string, options: JoinWindowOptions<unknown, unknown>): Panes {
  const size = msOf(operator, 'size', options.size, 1);
  if (size === undefined) throw new JobDefinitionError(`${operator} needs a size: how long its windows are ("10s").`);
  return panesOf(operator, size, msOf(operator, 'slide', options.slide, 1) ?? size, options.offset);
}
