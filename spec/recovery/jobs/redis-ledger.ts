// Sums of numbers per key, written to Redis in every way whose repetition would show. Run by specs as `tidemark run`.
import { from, job, paced, type Source } from 'tidemark';
import { redisSink } from 'tidemark/connectors/redis';
import { keyBy, scan, to } from 'tidemark/operators';
import { z } from 'zod';
import { entryAt, type LedgerEntry, ledgerKeys } from '../harness/redis-ledger.ts';

const parameters = z.object({
  /** Redis of the sink, and what the keys begin with. */
  redis: z.string(),
  prefix: z.string(),
  entries: z.coerce.number().int(),
  /** Entries a second; as fast as possible when left out. */
  rate: z.coerce.number().positive().optional(),
});

function entries(count: number): Source<LedgerEntry> {
  return {
    kind: 'ledger',
    name: 'ledger',
    bounded: true,
    open(position, context) {
      let at = (position as number | undefined) ?? 0;
      let timer: NodeJS.Immediate | undefined;
      const give = () => {
        timer = undefined;
        for (let i = 0; i < 200 && isReading && at < count; i++) context.next(entryAt(at++));
        if (!isReading) return;
        if (at === count) context.complete();
        else timer = setImmediate(give);
      };
      let isReading = false;
      const read = () => {
        isReading = true;
        timer ??= setImmediate(give);
      };
      const rest = () => {
        isReading = false;
        if (timer) clearImmediate(timer);
        timer = undefined;
      };
      return { start: read, position: () => at, pause: rest, resume: read, close: rest };
    },
  };
}

export default job(
  'redis-ledger',
  ({ redis, prefix, entries: count, rate }: z.infer<typeof parameters>) => {
    const keys = ledgerKeys(prefix);
    const source = entries(count);
    return from(rate === undefined ? source : paced(source, rate)).pipe(
      keyBy(({ account }) => account),
      scan(
        'sum',
        (sum: { account: string; n: number; sum: number }, { account, n, amount }: LedgerEntry) => ({
          account,
          n,
          sum: sum.sum + amount,
        }),
        { account: '', n: 0, sum: 0 },
      ),
      to(
        redisSink<{ account: string; n: number; sum: number }>({
          name: 'ledger',
          redis,
          write: ({ account, n, sum }) => [
            { command: 'hashSet', key: keys.sums, fields: { [account]: sum } },
            { command: 'increment', key: keys.count },
            { command: 'hashIncrement', key: keys.counts, field: account },
            { command: 'listPush', key: keys.list, values: [n] },
            { command: 'streamAdd', key: keys.stream, fields: { n, sum } },
          ],
        }),
      ),
    );
  },
  { schema: parameters, checkpoint: { interval: '60ms' } },
);
