import type { Source } from 'tidemark';
import { generatedSource } from '../generated-source.ts';
import type { NexmarkEvent } from './events.ts';
import { Generator, type GeneratorOptions } from './generator/generator.ts';

export interface NexmarkSourceOptions extends GeneratorOptions {
  /** How many events there are. */
  readonly events: number;
  /** Ties the position to the source; default `nexmark`. */
  readonly name?: string;
}

/** Generated events, from any position again; the position is the number of the next event. */
export function nexmarkSource({
  events,
  name = 'nexmark',
  seed,
  eventsPerSecond,
  disorderMs,
}: NexmarkSourceOptions): Source<NexmarkEvent> {
  const fixedBy = { seed, eventsPerSecond, disorderMs };
  const generator = new Generator(fixedBy);
  return generatedSource({
    name,
    count: events,
    fixedBy,
    at: n => generator.at(n),
    timeOf: event => event.dateTime,
  });
}
