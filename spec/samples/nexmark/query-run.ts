import { crash, type MemoryItem, memorySink, memorySource, takeCheckpoint } from '../../../connectors/memory/index.ts';
import { from, job, memoryStore, StreamRecord, start, Watermark } from '../../../lib/index.ts';
import { to } from '../../../operators/index.ts';
import type { NexmarkEvent } from '../../../samples/nexmark/events.ts';
import type { Generator } from '../../../samples/nexmark/generator/generator.ts';
import { type QueryName, queries } from '../../../samples/nexmark/queries/index.ts';
import { sortedOnly } from '../../../samples/nexmark/reference.ts';
import { quiet } from '../../job/quiet.ts';

/** Something that happens behind an event. */
export interface Happening {
  readonly behind: number;
  readonly what: 'watermark' | 'checkpoint' | 'crash';
}

/** Events with their times, a watermark as high as it may be behind every 100th, and what happens among them. */
export function inputOf(
  generator: Generator,
  events: readonly NexmarkEvent[],
  happenings: readonly Happening[] = [],
): MemoryItem<NexmarkEvent>[] {
  const at = Map.groupBy(happenings, ({ behind }) => behind);
  let newest = Number.NEGATIVE_INFINITY;
  return events.flatMap((event, n): MemoryItem<NexmarkEvent>[] => {
    newest = Math.max(newest, event.dateTime);
    const watermark = () => new Watermark(newest - generator.options.disorderMs - 1);
    const marks = (at.get(n) ?? []).map(({ what }): MemoryItem<NexmarkEvent> => {
      if (what === 'watermark') return watermark();
      return what === 'crash' ? crash : takeCheckpoint;
    });
    return [new StreamRecord(event, event.dateTime), ...(n % 100 === 99 ? [watermark()] : []), ...marks];
  });
}

/** What a query makes visible of the input, and how often it crashed on the way. */
export async function answerOf(
  query: QueryName,
  input: readonly MemoryItem<NexmarkEvent>[],
): Promise<{ readonly rows: readonly object[]; readonly restarts: number }> {
  const source = memorySource(input);
  const sink = memorySink<object>();
  const asked = job('nexmark', () => queries[query](from(source)).pipe(to<object>(sink)), {
    checkpoint: { interval: 'off' },
    restart: { strategy: 'fixed-delay', attempts: 1_000, delay: 0 },
  });
  const handle = start(asked, { store: memoryStore(), logger: quiet });
  await handle.done;
  return { rows: sink.committed, restarts: handle.status.attempt - 1 };
}

/** Rows as lines of output, sorted where the query promises no order. */
export function linesOf(query: QueryName, rows: readonly object[]): string[] {
  const lines = rows.map(row => JSON.stringify(row));
  return sortedOnly.includes(query) ? lines.sort() : lines;
}
