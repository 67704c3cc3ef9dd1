import { setTimeout as wait } from 'node:timers/promises';
import { map } from 'rxjs';
import { entryKinds } from '../../lib/actor/actor-state.ts';
import {
  actor,
  from,
  type Job,
  type JobHandle,
  type JobSettings,
  job,
  readState,
  type Savepoint,
  type SnapshotStore,
  start,
  type,
} from '../../lib/index.ts';
import { rawEntries } from '../../lib/savepoint/read-state.ts';
import { keyBy, mapAsync, repartition, scan, to } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';
import type { collected } from '../scale/collected.ts';
import type { Keyed, PartitionedLog } from '../scale/partitioned-log.ts';

export interface Total {
  readonly key: string;
  readonly total: number;
}

export interface RelayOptions {
  readonly name?: string;
  /** Called for each record in the first actor, for faults. */
  readonly onRecord?: (record: Keyed) => void;
  /** ms that a request takes. */
  readonly answerMs?: number;
  /** Whether records are asked about before they go anywhere, without a key. */
  readonly asksFirst?: boolean;
  /** ms that they are held before they go anywhere, without a key. */
  readonly holdsFirst?: number;
}

const groupOf = (key: string): string => `g${Number(key.slice(1)) % 5}`;

/**
 * Records are counted by key behind one channel, asked about elsewhere, held until a processing-time timer fires, and counted by group
 * behind another: so records are on their way in all places where a task can have them.
 */
export function relayed(
  log: PartitionedLog,
  output: ReturnType<typeof collected<Total>>,
  { name = 'relay', onRecord = () => {}, answerMs = 1, asksFirst = false, holdsFirst }: RelayOptions = {},
): Job {
  const ask = <T>(name: string) =>
    mapAsync(
      name,
      async (value: T) => {
        await wait(answerMs);
        return value;
      },
      { concurrency: 4, ordered: false },
    );
  return job(name, () => {
    const read = from(log.source());
    const asked = asksFirst ? read.pipe(ask<Keyed>('ask')) : read;
    return (holdsFirst === undefined ? asked : asked.pipe(hold<Keyed>('hold first', holdsFirst))).pipe(
      keyBy(({ key }: Keyed) => key),
      repartition('keys'),
      scan(
        'counts',
        (count: Total, record: Keyed) => {
          onRecord(record);
          return { key: record.key, total: count.total + 1 };
        },
        { key: '', total: 0 },
      ),
      asksFirst ? map((count: Total) => count) : ask<Total>('ask'),
      hold<Total>('hold', 2),
      keyBy(({ key }: Total) => groupOf(key)),
      repartition('groups'),
      scan('totals', (sum: Total, { key }: Total) => ({ key: groupOf(key), total: sum.total + 1 }), {
        key: '',
        total: 0,
      }),
      to(output.sink),
    );
  });
}

/** Lets what it gets go after so many ms of processing time. */
const hold = <T>(name: string, ms: number) =>
  actor(name, {
    emits: type<T>(),
    update: 'return',
    initial: () => [] as readonly unknown[],
    receive(held, value: T, ctx) {
      ctx.timers.atProcessingTime(ctx.now() + ms);
      return [...held, value];
    },
    onTimer(held, _time, ctx) {
      for (const value of held) ctx.emit(value as T);
      return [];
    },
    onComplete(held, ctx) {
      for (const value of held) ctx.emit(value as T);
      return [];
    },
  });

/** Starts it with checkpoints and looks at requests as often as may be. */
export function relay(declared: Job, store: SnapshotStore, settings: JobSettings = {}): JobHandle {
  return start(declared, {
    tasks: 'per-partition',
    store,
    logger: quiet,
    restart: { strategy: 'fixed-delay', attempts: 1_000, delay: '1ms' },
    ...settings,
    checkpoint: { interval: '20ms', requestInterval: 5, ...settings.checkpoint },
  });
}

/** Where the records are that a savepoint has read. */
export async function whereabouts(savepoint: Savepoint) {
  const found = { read: 0, counted: 0, asked: 0, held: 0, totalled: 0 };
  for (const task of savepoint.tasks) {
    const { position } = task.manifest.sources.log as { readonly position: readonly number[] };
    found.read += position.reduce((sum, at) => sum + at, 0);
    for await (const { value } of readState(task, 'counts')) found.counted += (value as Total).total;
    for await (const { value } of readState(task, 'hold')) found.held += (value as readonly Total[]).length;
    for await (const { value } of readState(task, 'totals')) found.totalled += (value as Total).total;
    for await (const { kind } of rawEntries(task, 'ask')) if (kind === entryKinds.request) found.asked++;
  }
  return found;
}
