// Runs queries of the sample nexmark side by side, each as a job of its own, and says how far they are:
//   node nexmark-side-by-side.ts '{"store":"…","limit":1000,"jobs":[{"name":"…","params":{…}}]}'
// Specs end it with SIGKILL, which is a crash of all of them.
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { fileStore, job, type Logger, start } from 'tidemark';
import { redisStore } from 'tidemark/connectors/redis';
import { z } from 'zod';
import { sourceOf } from '../../../samples/nexmark/ends.ts';
import { type Parameters, parameters } from '../../../samples/nexmark/parameters.ts';
import { pipeline } from '../../../samples/nexmark/pipeline.ts';
import { limited } from '../harness/limited.ts';

const {
  store: where,
  limit,
  jobs,
} = z
  .strictObject({
    store: z.string(),
    /** Records of each job in this process; without limit when left out. */
    limit: z.number().optional(),
    jobs: z.array(z.strictObject({ name: z.string(), params: z.record(z.string(), z.string()) })),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));
const store = where.includes('://') ? redisStore(where) : fileStore(where);
/** At once: what is said before a SIGKILL is heard. */
const say = (text: string) => writeSync(1, `${text}\n`);
const heard = (level: string) => (fields: object, message: string) =>
  say(`${level}: ${message} ${JSON.stringify(fields)}`);
const logger: Logger = { debug() {}, info() {}, warn: heard('warn'), error: heard('error'), child: () => logger };

// Node would write it at its end, which a SIGKILL takes away.
flushCompileCache();
await Promise.all(
  jobs.map(({ name, params }) => {
    const build = (given: Parameters) =>
      pipeline(given, limit === undefined ? sourceOf(given) : limited(sourceOf(given), limit));
    const asked = job(name, build, { schema: parameters, checkpoint: { interval: '250ms' } });
    const handle = start(asked, { store, params, logger });
    let before = '';
    handle.status$.subscribe(({ phase, restoredFrom }) => {
      if (phase === before) return;
      before = phase;
      if (phase === 'running') say(`${name} running from ${restoredFrom?.id ?? 0}`);
    });
    handle.checkpoints$.subscribe(({ outcome, id, isFinal }) => {
      if (outcome !== 'committed') return;
      say(`${name} committed ${id}${isFinal ? ', the last one' : ''}`);
      if (limit !== undefined && handle.status.records.in >= limit / 2) say(`${name} got half way and committed`);
    });
    return handle.done.then(outcome => say(`${name} ${outcome} after ${handle.status.records.in} records`));
  }),
);
await store.close();
