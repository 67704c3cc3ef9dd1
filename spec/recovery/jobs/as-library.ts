// Starts a job inside an app, as a library: node as-library.ts <store> <out> <finish|stop|cancel|failure>. It never calls
// process.exit: Node ends by itself once nothing is left open.
import { fileStore, start } from 'tidemark';
import { redisStore } from 'tidemark/connectors/redis';
import numbers from './numbers.ts';

const [where = '', out = '', how = ''] = process.argv.slice(2);
const store = where.includes('://') ? redisStore(where) : fileStore(where);
const handle = start(numbers, {
  store,
  params: {
    out,
    ...(how === 'finish' ? { last: 20_000 } : {}),
    ...(how === 'failure' ? { throwAt: 2_000 } : {}),
  },
});
let committed = 0;
handle.status$.subscribe();
handle.metrics$.subscribe();
handle.checkpoints$.subscribe(({ outcome }) => {
  if (outcome !== 'committed' || ++committed !== 3) return;
  if (how === 'stop') void handle.stop();
  if (how === 'cancel') void handle.cancel();
});
const outcome = await handle.done.catch(error => error.code);
// Whoever made the store closes it.
await store.close();
console.log(`outcome: ${outcome}`);
