// A plain JavaScript project that has installed the package. Fails by throwing.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { filter, firstValueFrom, map, Subject } from 'rxjs';
import { from, job, start } from 'tidemark';
import { fileSink, fileStore, jsonLines } from 'tidemark/connectors/file';
import { memorySink } from 'tidemark/connectors/memory';
import { keyBy, scan, to } from 'tidemark/operators';
import { marbles } from 'tidemark/testing';

const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-consumer-'));
try {
  const input = path.join(folder, 'payments.jsonl');
  const output = path.join(folder, 'totals.jsonl');
  writeFileSync(input, [7, -1, 5].map(cents => `${JSON.stringify({ card: 'a', cents })}\n`).join(''));
  const totals = job('totals', () =>
    from(jsonLines({ path: input })).pipe(
      filter(payment => payment.cents > 0),
      keyBy(payment => payment.card),
      scan('total', (total, { cents }) => ({ cents: total.cents + cents }), { cents: 0 }),
      map(total => ({ cents: total.cents })),
      to(fileSink({ path: output })),
    ),
  );
  const run = () => start(totals, { store: fileStore(path.join(folder, 'state')) }).done;
  assert.equal(await run(), 'finished');
  assert.equal(readFileSync(output, 'utf8'), '{"cents":7}\n{"cents":12}\n');
  assert.equal(await run(), 'finished');
  assert.equal(readFileSync(output, 'utf8'), '{"cents":7}\n{"cents":12}\n');
  await compactsOnItsThread(path.join(folder, 'compacted'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

marbles(({ job: run, expectElements }) => {
  expectElements(run('-a-B-X-a-|', stream => stream.pipe(scan('count', n => n + 1, 0)))).toBe('-1-B---2-|', {
    1: 1,
    2: 2,
  });
});
console.log('used from JavaScript');

/** The thread's program must be found in the compiled package too. */
async function compactsOnItsThread(directory) {
  const store = fileStore(directory);
  const numbers = new Subject();
  const counting = job('counts', () =>
    from(numbers).pipe(
      keyBy(String),
      scan('n', n => n + 1, 0),
      to(memorySink()),
    ),
  );
  const handle = start(counting, { store, checkpoint: { interval: 'off' } });
  await firstValueFrom(handle.status$.pipe(filter(({ phase }) => phase === 'running')));
  const segments = async () => {
    const last = (await store.task({ job: 'counts', task: 'main' }).manifests()).at(-1).manifest;
    return last.actors.n.segments.length;
  };
  // The thread gives way to everything else: on a busy machine it takes some rounds more.
  for (let round = 0; round < 60 || (round < 1_000 && (await segments()) >= 50); round++) {
    for (let key = 0; key < 5_000; key++) numbers.next(key);
    const committed = firstValueFrom(handle.checkpoints$);
    handle.checkpoint();
    assert.equal((await committed).outcome, 'committed');
  }
  await handle.stop();
  assert.ok((await segments()) < 50, 'chains are compacted');
}
