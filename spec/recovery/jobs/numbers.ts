// The numbers from 1 on and their sum, with what a spec wants to go wrong. Run by specs, as `tidemark run` and as a library.
import { actor, type Duration, from, job, type Sink, type Source, type } from 'tidemark';
import { fileSink } from 'tidemark/connectors/file';
import { to } from 'tidemark/operators';
import { z } from 'zod';

const parameters = z.object({
  out: z.string(),
  /** The last number; without end when left out. */
  last: z.coerce.number().optional(),
  /** The actor throws at this number. */
  throwAt: z.coerce.number().optional(),
  /** No checkpoint comes to an end. */
  stuck: z.stringbool().default(false),
});

/** Gives a number every few ms, or all at once. */
function numbers(last: number | undefined): Source<number> {
  return {
    kind: 'numbers',
    name: 'numbers',
    bounded: last !== undefined,
    open(position, context) {
      let at = (position as number | undefined) ?? 0;
      let timer: NodeJS.Timeout | undefined;
      let isReading = false;
      const give = () => {
        for (let i = 0; i < 100 && isReading && at !== last; i++) context.next(++at);
        if (!isReading) return;
        if (at === last) context.complete();
        else timer = setTimeout(give, 5);
      };
      const read = () => {
        isReading = true;
        give();
      };
      const rest = () => {
        isReading = false;
        clearTimeout(timer);
      };
      return { start: read, position: () => at, pause: rest, resume: read, close: rest };
    },
  };
}

/** A sink that never has anything on disk. */
const stuckSink: Sink<number> = {
  kind: 'stuck',
  name: 'stuck',
  guarantee: 'exactly-once',
  open: () => ({
    restore() {},
    write() {},
    barrier() {},
    flush: () => new Promise(() => {}),
    commit() {},
    abandon() {},
    close() {},
  }),
};

export default job(
  'numbers',
  ({ out, last, throwAt, stuck }: z.infer<typeof parameters>) =>
    from(numbers(last)).pipe(
      actor('sum', {
        emits: type<number>(),
        update: 'return',
        initial: () => 0,
        receive(sum, value: number, ctx) {
          if (value === throwAt) throw new Error(`${value} is not wanted`);
          ctx.emit(sum + value);
          return sum + value;
        },
      }),
      to(stuck ? stuckSink : fileSink<number>({ path: out })),
    ),
  {
    schema: parameters,
    checkpoint: { interval: '50ms' },
    // The command line has no option for it.
    stopTimeout: (process.env.NUMBERS_STOP_TIMEOUT ?? '10s') as Duration,
    restart: { strategy: 'none' },
  },
);
