import { type MemoryItem, memorySink, memorySource, memoryStore } from '../../../connectors/memory/index.ts';
import { type DataStream, from, job, type KeyOrNone, start } from '../../../lib/index.ts';
import { to } from '../../../operators/index.ts';
import { quiet } from '../../job/quiet.ts';

/** Runs a chain over the items, crashes and checkpoints included; what an exactly-once sink shows at the end. */
export async function onMemory<T, R>(
  items: readonly MemoryItem<T>[],
  build: (stream: DataStream<T>) => DataStream<R, KeyOrNone>,
): Promise<readonly R[]> {
  const sink = memorySink<R>();
  const source = memorySource<T>(items);
  const definition = job('windows', () => build(from(source)).pipe(to(sink)));
  await start(definition, {
    store: memoryStore(),
    checkpoint: { interval: 'off' },
    restart: { strategy: 'fixed-delay', delay: 0, attempts: 100 },
    logger: quiet,
  }).done;
  return sink.committed;
}
