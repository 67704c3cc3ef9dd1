import { type Source, SourcePositionError } from 'tidemark';

/** Input that is made up as it is read; each record can be made again without those before it. */
export interface GeneratedInput<T> {
  /** Ties the position to the source. */
  readonly name: string;
  /** How many records there are. */
  readonly count: number;
  /** What fixes the records, by the names of the parameters: a checkpoint is good for the same ones only. */
  readonly fixedBy: Readonly<Record<string, number>>;
  /** Record `n`, counted from 0. */
  at(n: number): T;
  /** The event time of record `n`, in ms; called behind `at(n)`, with what it answered. */
  timeOf(value: T, n: number): number;
  /** No record from `n` on is older than this; left out where `assignTimestamps` makes the watermarks. */
  watermarkAt?(n: number): number;
}

type Position = Readonly<Record<string, number>>;

const batchSize = 500;

/**
 * A source that needs no service: generated records, from any position again. A watermark follows each batch, if there are any.
 *
 * Fails with `SourcePositionError` when the checkpoint belongs to records that were fixed otherwise.
 */
export function generatedSource<T>(input: GeneratedInput<T>): Source<T> {
  const { name, count, fixedBy } = input;
  return {
    kind: 'generated',
    name,
    bounded: true,
    embedded: true,
    open(position, context) {
      let next = position === undefined ? 0 : nextOf(position as Position | null, fixedBy);
      let hasStarted = false;
      let isPaused = false;
      let isOver = false;
      let timer: NodeJS.Immediate | undefined;
      const give = (): void => {
        timer = undefined;
        const first = next;
        const size = Math.min(batchSize, count - first);
        if (size > 0) {
          const batch = new Array<T>(size);
          const times = new Array<number>(size);
          for (let i = 0; i < size; i++) {
            const value = input.at(first + i);
            batch[i] = value;
            times[i] = input.timeOf(value, first + i);
          }
          next = first + size;
          context.batch(batch, times);
          if (!isOver && input.watermarkAt) context.watermark(input.watermarkAt(next));
        }
        if (next < count) goOn();
        else if (!isPaused && !isOver) {
          isOver = true;
          context.complete();
        }
      };
      // The timer may be set already: it may have been paused and resumed while a batch was handled.
      const goOn = (): void => {
        if (hasStarted && !isPaused && !isOver) timer ??= setImmediate(give);
      };
      const rest = (): void => {
        clearImmediate(timer);
        timer = undefined;
      };
      return {
        start() {
          hasStarted = true;
          goOn();
        },
        position: () => ({ ...fixedBy, next }),
        pause() {
          isPaused = true;
          rest();
        },
        resume() {
          isPaused = false;
          goOn();
        },
        progress: () => (count === 0 ? 1 : Math.min(next / count, 1)),
        close() {
          isOver = true;
          rest();
        },
      };
    },
  };
}

/** The record to go on with. */
function nextOf(position: Position | null, fixedBy: Position): number {
  const stored = position ?? {};
  const other = Object.keys(fixedBy).find(name => stored[name] !== fixedBy[name]);
  if (other !== undefined) {
    throw new SourcePositionError(
      `The checkpoint belongs to input that was generated with ${other} ${stored[other]}, and the job was started with ` +
        `${fixedBy[other]}. Start it with the same parameters, or with --fresh.`,
    );
  }
  const { next } = stored;
  if (!Number.isSafeInteger(next)) {
    throw new SourcePositionError(`The checkpoint names no record to go on with (${next}). Start with --fresh.`);
  }
  return next as number;
}
