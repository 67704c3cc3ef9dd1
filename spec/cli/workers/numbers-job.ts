// A job whose processes share its tasks without a broker: by their names. w-1 has the tasks 0, w-2 the tasks 1, and so on.
import { existsSync, writeFileSync } from 'node:fs';
import { map } from 'rxjs';
import { from, job, type Source, type TaskSharing, UnsupportedStateError } from '../../../lib/index.ts';
import { keyBy, scan } from '../../../operators/index.ts';

interface Item {
  readonly partition: number;
  readonly n: number;
}

type Parameters = Readonly<Partial<Record<'count' | 'members' | 'end' | 'dies' | 'mark', string>>>;

const partitions = 4;

function sharing(instanceId: string | undefined, members: number): TaskSharing {
  const me = Number(/-(\d+)$/.exec(instanceId ?? '')?.[1] ?? 1) - 1;
  return {
    shape: async () => ({ tasks: partitions, partitions: { numbers: partitions } }),
    join: ({ tasks, listener }) => {
      const mine = Array.from({ length: tasks }, (_, task) => task).filter(task => task % members === me);
      queueMicrotask(() => listener.assigned(mine, 1));
      return { close: async () => listener.revoked(mine, 10_000) };
    },
  };
}

/** Ten records of each partition a millisecond, then the end, or nothing more. */
function numbers({ count, members, ends }: { count: number; members: number; ends: boolean }): Source<Item> {
  return {
    kind: 'numbers',
    name: 'numbers',
    bounded: ends,
    spread: { where: 'here', topics: ['numbers'], sharing: ({ instanceId }) => sharing(instanceId, members) },
    open: (position, context) => {
      const { slice } = context;
      const mine = Array.from({ length: partitions }, (_, partition) => partition).filter(
        partition => !slice || partition % slice.count === slice.index,
      );
      let at = (position as number | undefined) ?? 0;
      let timer: NodeJS.Timeout | undefined;
      const read = () => {
        const until = Math.min(count, at + 10);
        const batch = mine.flatMap(partition =>
          Array.from({ length: until - at }, (_, i): Item => ({ partition, n: at + i + 1 })),
        );
        at = until;
        if (batch.length > 0) context.batch(batch);
        if (at < count) timer = setTimeout(read, 1);
        else if (ends) context.complete();
      };
      return {
        start: read,
        position: () => at,
        pause: () => clearTimeout(timer),
        resume: read,
        close: () => clearTimeout(timer),
      };
    },
  };
}

const deaths: Readonly<Record<string, () => void>> = {
  kill: () => process.kill(process.pid, 'SIGKILL'),
  exit: () => process.exit(7),
  escape: () => void setImmediate(() => Promise.reject(new Error('escaped from the job'))),
};

/** `dies=kill:100,exit:200`: at these records of partition 1, each once: files named `mark` tell that it has happened. One that is there by itself, `refuse`, is what no restart mends. `throw:100` throws, each time. */
function mayDie({ dies = '', mark = '' }: Parameters): (item: Item) => Item {
  const planned = new Map(dies.split(',').map(one => one.split(':').reverse() as [string, string]));
  return item => {
    if (item.partition === 1 && item.n % 100 === 0 && existsSync(`${mark}.refuse`)) {
      throw new UnsupportedStateError('no restart mends this');
    }
    const how = item.partition === 1 ? planned.get(`${item.n}`) : undefined;
    if (how === 'throw') throw new Error('each time');
    const happened = `${mark}.${how}`;
    if (how !== undefined && !existsSync(happened)) {
      writeFileSync(happened, '');
      deaths[how]?.();
    }
    return item;
  };
}

export default job<Parameters>(
  'numbers',
  ({ count = '300', members = '2', end = 'yes', ...death }) =>
    from(numbers({ count: Number(count), members: Number(members), ends: end === 'yes' })).pipe(
      map(mayDie(death)),
      keyBy(({ partition }) => partition),
      scan(
        'sum',
        (sum: { n: number; sum: number; partition: number }, { n, partition }: Item) => ({
          n,
          partition,
          sum: sum.sum + n,
        }),
        { n: 0, sum: 0, partition: 0 },
      ),
      map(({ n, sum, partition }) => {
        if (n === Number(count)) console.log(`sum ${partition} ${sum}`);
        return n;
      }),
    ),
  { restart: { strategy: 'fixed-delay', attempts: 3, delay: '20ms' }, checkpoint: { interval: '20ms' } },
);
