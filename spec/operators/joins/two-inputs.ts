import fc from 'fast-check';
import { filter } from 'rxjs';
import {
  crash,
  type MemoryItem,
  memorySink,
  memorySource,
  memoryStore,
  takeCheckpoint,
} from '../../../connectors/memory/index.ts';
import {
  actor,
  type DataStream,
  from,
  job,
  type KeyOrNone,
  type Op,
  StreamRecord,
  start,
  Watermark,
} from '../../../lib/index.ts';
import { keyBy, to } from '../../../operators/index.ts';
import { inspectedStore, type StoredState } from '../../actor/stored-entries.ts';
import { quiet } from '../../job/quiet.ts';

/** A record of one of two streams; `n` tells it from the others. */
export interface Row {
  readonly isLeft: boolean;
  readonly key: string;
  readonly time: number;
  readonly n: number;
}

type Step = 'checkpoint' | 'crash' | { readonly row: Omit<Row, 'n'> } | { readonly watermark: number };

/** What comes on both inputs, in one order, with watermarks that do not care about records, so that some are late. */
export const steps = (lastTime = 40): fc.Arbitrary<MemoryItem<Row>[]> => {
  const time = fc.integer({ min: 0, max: lastTime });
  const row = fc.record({ isLeft: fc.boolean(), key: fc.constantFrom('a', 'b'), time });
  const step = fc.oneof(
    { weight: 12, arbitrary: fc.record({ row }) },
    { weight: 3, arbitrary: fc.record({ watermark: time }) },
    { weight: 2, arbitrary: fc.constant('checkpoint' as const) },
    { weight: 1, arbitrary: fc.constant('crash' as const) },
  );
  return fc.array(step, { maxLength: 50, size: 'max' }).map(itemsOf);
};

function itemsOf(steps: readonly Step[]): MemoryItem<Row>[] {
  let n = 0;
  return steps.map(step => {
    if (step === 'checkpoint') return takeCheckpoint;
    if (step === 'crash') return crash;
    if ('watermark' in step) return new Watermark(step.watermark);
    return new StreamRecord({ ...step.row, n: n++ }, step.row.time, undefined);
  });
}

/** The rows in their order, each with the watermark that it meets; for references. */
export function arrivals(items: readonly MemoryItem<Row>[]): { row: Row; watermark: number }[] {
  let watermark = Number.NEGATIVE_INFINITY;
  const rows: { row: Row; watermark: number }[] = [];
  for (const item of items) {
    if (item instanceof Watermark) watermark = Math.max(watermark, item.timestamp);
    else if (item instanceof StreamRecord) rows.push({ row: item.value as Row, watermark });
  }
  return rows;
}

type Build<R> = (left: DataStream<Row, string>, right: DataStream<Row, string>) => DataStream<R, KeyOrNone>;

/** The source is made once, for all restarts: it plays each crash once. */
function build<R>(items: readonly MemoryItem<Row>[], join: Build<R>): () => DataStream<R, KeyOrNone> {
  const source = memorySource<Row>(items);
  return () => {
    const rows = from(source);
    const of = (isLeft: boolean) =>
      rows.pipe(
        filter(row => row.isLeft === isLeft),
        keyBy(row => row.key),
      );
    return join(of(true), of(false));
  };
}

/** Shows the event time of each text behind it. */
export const timed = (): Op<string, string> =>
  actor<string, undefined, string>('timed', {
    initial: () => undefined,
    receive(_, text, ctx) {
      ctx.emit(`${text} @${ctx.timestamp}`);
    },
  });

/** Runs a join over the items, crashes and checkpoints included; what an exactly-once sink shows at the end. */
export async function joined<R>(items: readonly MemoryItem<Row>[], join: Build<R>): Promise<readonly R[]> {
  const sink = memorySink<R>();
  const stream = build(items, join);
  await start(
    job('joined', () => stream().pipe(to(sink))),
    {
      store: memoryStore(),
      checkpoint: { interval: 'off' },
      restart: { strategy: 'fixed-delay', delay: 0, attempts: 100 },
      logger: quiet,
    },
  ).done;
  return sink.committed;
}

/** What a checkpoint behind the items, while the job still runs, holds of an actor. */
export async function leftOver<R>(
  actor: string,
  items: readonly MemoryItem<Row>[],
  join: Build<R>,
): Promise<StoredState> {
  const { store, stored, committed } = inspectedStore(memoryStore(), 'joined');
  const untilThere: MemoryItem<Row>[] = [
    ...items.filter(item => item !== crash && item !== takeCheckpoint),
    takeCheckpoint,
    crash,
  ];
  const stream = build(untilThere, join);
  const run = start(
    job('joined', () => stream().pipe(to(memorySink<R>()))),
    {
      store,
      checkpoint: { interval: 'off' },
      restart: { strategy: 'none' },
      logger: quiet,
    },
  );
  const failure: unknown = await run.done.then(
    () => undefined,
    error => error,
  );
  if ((failure as { code?: string } | undefined)?.code !== 'PLANNED_CRASH') throw failure;
  if (committed().length !== 1) throw new Error('The checkpoint was not committed before the crash.');
  return stored(actor);
}
