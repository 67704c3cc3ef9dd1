import { type MemorySink, memorySink } from '../../connectors/memory/index.ts';
import {
  from,
  type JobHandle,
  type JobSettings,
  type Json,
  job,
  type SnapshotStore,
  type Source,
  type SourceContext,
  start,
} from '../../lib/index.ts';
import { keyBy, scan, to } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';

/** A log of numbers that any number of jobs read, each from its own position. */
export class NumberLog {
  readonly log: number[] = [];
  private readonly readers = new Set<() => void>();

  push(...values: readonly number[]): void {
    this.log.push(...values);
    for (const read of this.readers) read();
  }

  source(reads: () => void = () => {}): Source<number> {
    const { log, readers } = this;
    return {
      kind: 'numbers',
      name: 'numbers',
      bounded: false,
      embedded: true,
      open(position: Json | undefined, context: SourceContext<number>) {
        let at = (position as number | undefined) ?? 0;
        let isReading = false;
        const read = () => {
          while (isReading && at < log.length) context.next(log[at++] as number);
        };
        const rest = () => {
          isReading = false;
        };
        const resume = () => {
          isReading = true;
          read();
        };
        readers.add(read);
        const close = () => {
          rest();
          readers.delete(read);
        };
        const start = () => {
          reads();
          resume();
        };
        return { start, position: () => at, pause: rest, resume, close };
      },
    };
  }
}

export const parity = (value: number): string => (value % 2 === 0 ? 'even' : 'odd');

export interface SumsRun {
  readonly handle: JobHandle;
  readonly sink: MemorySink<[string, number]>;
  /** The source reads: what has to come before the first element has come. */
  readonly reads: Promise<void>;
}

/** Sums even and odd numbers; `[parity, sum]` for each. */
export function startSums(
  numbers: NumberLog,
  store: SnapshotStore,
  {
    name = 'sums',
    sink = memorySink<[string, number]>(),
    ...settings
  }: JobSettings & {
    readonly name?: string;
    readonly sink?: MemorySink<[string, number]>;
  } = {},
): SumsRun {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const declared = job(name, () =>
    from(numbers.source(resolve)).pipe(
      keyBy(parity),
      scan('sum', (sum: [string, number], value: number): [string, number] => [parity(value), sum[1] + value], [
        '',
        0,
      ] as [string, number]),
      to(sink),
    ),
  );
  const handle = start(declared, {
    restart: { strategy: 'none' },
    logger: quiet,
    store,
    ...settings,
    checkpoint: { interval: 'off', requestInterval: 5, ...settings.checkpoint },
  });
  promise.catch(() => {});
  handle.done.catch(reject);
  return { handle, sink, reads: promise };
}

/** What the sums emit for these numbers, from the beginning. */
export function sumsOf(values: readonly number[]): [string, number][] {
  const sums: Record<string, number> = { even: 0, odd: 0 };
  return values.map(value => {
    const of = parity(value);
    sums[of] = (sums[of] ?? 0) + value;
    return [of, sums[of]];
  });
}

/** A checkpoint that holds all that came so far. */
export async function checkpointed(handle: JobHandle): Promise<number> {
  return new Promise((resolve, reject) => {
    const events = handle.checkpoints$.subscribe(({ id, outcome }) => {
      events.unsubscribe();
      if (outcome === 'committed') resolve(id);
      else reject(new Error(`checkpoint ${id} was ${outcome}`));
    });
    handle.done.catch(reject);
    handle.checkpoint();
  });
}
