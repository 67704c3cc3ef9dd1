// Counts visits of users per page in two stages, from Kafka to Kafka: first by user, the key of the topic, then by page, through
// a `repartition`. Run by specs as `tidemark run … --tasks per-partition`.

import path from 'node:path';
import { actor, type Duration, from, type JobSettings, job, paced, type } from 'tidemark';
import { fileSink } from 'tidemark/connectors/file';
import { json, kafkaSink, kafkaSource } from 'tidemark/connectors/kafka';
import { redisSink } from 'tidemark/connectors/redis';
import { assignTimestamps, keyBy, repartition, to, watermarks } from 'tidemark/operators';
import { z } from 'zod';
import { type Visit, windowMs } from '../kafka/harness/visits.ts';
import { dying } from './dies.ts';

const parameters = z.strictObject({
  input: z.string(),
  output: z.string(),
  isBounded: z.stringbool().default(true),
  /** Records a second, of each task; as fast as possible when left out. */
  rate: z.coerce.number().positive().optional(),
  /** Where the entries also go: a hash and a list for each user and page under this prefix, in the Redis at `redis`. */
  prefix: z.string().optional(),
  redis: z.string().optional(),
  /** And a file of each task in this folder. */
  folder: z.string().optional(),
  /** Without it the second stage counts keys that are not those of its partitions. */
  isRepartitioned: z.stringbool().default(true),
});

/** What a user does, numbered by the first stage. */
interface Numbered {
  readonly user: string;
  readonly page: string;
  readonly nth: number;
}

interface Line {
  readonly key: string;
  readonly text: string;
}

export default job(
  process.env.VISITS_NAME ?? 'visits',
  ({ input, output, isBounded, rate, prefix, redis, folder, isRepartitioned }: z.infer<typeof parameters>) => {
    const source = kafkaSource({
      topic: input,
      value: json<Visit>(),
      ...(isBounded ? { stop: 'latest' } : {}),
      discovery: '500ms' as Duration,
      ...(rate === undefined ? {} : { maxPartitionBytes: 4_096, maxRequestBytes: 16_384, maxBufferedBytes: 32_768 }),
    });
    const visits = from(rate === undefined ? source : paced(source, rate)).pipe(
      assignTimestamps({ timestamp: ({ at }: Visit) => at, watermarks: watermarks.monotonous() }),
      keyBy(({ user }) => user),
      actor('users', {
        emits: type<Numbered>(),
        initial: () => ({ count: 0 }),
        receive(state, { user, page }: Visit, ctx) {
          state.count++;
          ctx.emit({ user, page, nth: state.count });
        },
      }),
      keyBy(({ page }) => page),
    );
    const lines = (isRepartitioned ? visits.pipe(repartition('by-page')) : visits).pipe(
      actor('pages', {
        emits: type<Line>(),
        initial: (): { users: Record<string, number>; windows: Record<string, number> } => ({ users: {}, windows: {} }),
        receive(state, { user, page, nth }: Numbered, ctx) {
          const count = (state.users[user] ?? 0) + 1;
          state.users[user] = count;
          const end = Math.floor((ctx.timestamp ?? 0) / windowMs) * windowMs + windowMs;
          state.windows[end] = (state.windows[end] ?? 0) + 1;
          ctx.timers.atEventTime(end);
          ctx.emit({ key: `${page} ${user}`, text: `${count}:${nth}` });
        },
        onTimer(state, time, ctx) {
          ctx.emit({ key: `${ctx.key}`, text: `${time}:${state.windows[time] ?? 0}` });
          delete state.windows[time];
        },
      }),
    );
    const inKafka = lines.pipe(
      to(
        kafkaSink<Line>({
          topic: output,
          key: ({ key }) => key,
          value: { serialize: ({ text }) => text },
          guarantee: 'exactly-once',
        }),
      ),
    );
    if (prefix === undefined || redis === undefined || folder === undefined) return inKafka;
    const inRedis = lines.pipe(
      to(
        redisSink<Line>({
          name: 'lines',
          redis,
          write: ({ key, text }) => [{ command: 'listPush', key: `${prefix}:${key}`, values: [text] }],
        }),
      ),
    );
    const inFiles = lines.pipe(to(fileSink<Line>({ path: path.join(folder, '{task}.jsonl') })));
    return [inKafka, inRedis, inFiles];
  },
  {
    schema: parameters,
    ...(JSON.parse(process.env.VISITS_SETTINGS ?? '{}') as JobSettings),
    ...dying(JSON.parse(process.env.VISITS_DEATH ?? 'null') ?? undefined),
  },
);
