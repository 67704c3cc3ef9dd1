import { type Key, UserCodeError } from '../../../lib/index.ts';
import { RecordTooLargeError } from '../errors.ts';
import { keyPartition } from '../partition/key-partition.ts';
import { chosenPartition } from '../partition/partitioner.ts';
import type { Header } from '../record.ts';
import type { KafkaSinkSettings } from './options.ts';
import type { TopicRoute } from './topic-routes.ts';

/** A record as it is written. */
export interface EncodedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly timestamp: number;
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly headers: readonly Header[];
}

const noHeaders: readonly Header[] = [];
/** More than a record and its batch take beside key, value and headers. */
const overheadBytes = 100;

/** Makes records of values as the options of a sink say. */
export class RecordEncoder<T> {
  readonly #settings: KafkaSinkSettings<T>;
  readonly #now: () => number;
  readonly #isPacked: boolean;

  constructor(settings: KafkaSinkSettings<T>, now: () => number) {
    this.#settings = settings;
    this.#now = now;
    this.#isPacked = (settings.producer.compression ?? 'none') !== 'none';
  }

  topicOf(value: T): string {
    const { topic } = this.#settings;
    return typeof topic === 'string' ? topic : topic(value);
  }

  /** Throws what the user's functions throw, and a `RecordTooLargeError`. */
  encode(route: TopicRoute, value: T, eventTime: number, streamKey: Key | undefined): EncodedRecord {
    const { topic } = route;
    const settings = this.#settings;
    const bytes = settings.value.serialize(value, topic, 'value');
    const key = settings.key ? settings.key(value, streamKey) : keyText(streamKey);
    const headers = settings.headers ? headersOf(settings.headers(value)) : noHeaders;
    if (route.maxBytes !== undefined && !this.#isPacked) this.#verifySize(route, route.maxBytes, key, bytes, headers);
    return {
      topic,
      partition: this.#partition(route, value, key, bytes),
      timestamp: this.#timestamp(value, eventTime),
      key,
      value: bytes,
      headers,
    };
  }

  #timestamp(value: T, eventTime: number): number {
    const { timestamp, name } = this.#settings;
    if (!timestamp) return Number.isFinite(eventTime) ? Math.trunc(eventTime) : this.#now();
    const given: unknown = timestamp(value, eventTime);
    if (typeof given === 'number' && Number.isSafeInteger(Math.trunc(given))) return Math.trunc(given);
    const said = typeof given === 'number' ? String(given) : `a value of type ${typeof given}`;
    throw new UserCodeError(
      `"timestamp" of the sink "${name}" answered ${said}: it must answer a number of milliseconds since 1970.`,
      { context: { sink: name } },
    );
  }

  #partition(route: TopicRoute, value: T, key: Uint8Array | string | null, bytes: Uint8Array | string | null): number {
    const { partitioner } = this.#settings;
    const { topic, partitions } = route;
    if (partitioner) {
      const keyBytes = typeof key === 'string' ? Buffer.from(key) : key;
      return chosenPartition(partitioner, value, { topic, key: keyBytes, partitions });
    }
    return key === null ? route.sticky.take(bytes?.length ?? 0, partitions) : keyPartition(key, partitions);
  }

  #verifySize(
    { topic }: TopicRoute,
    most: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: readonly Header[],
  ): void {
    // A unit of UTF-16 takes three bytes of UTF-8 at most: nearly always that already says that it fits.
    if (headers.length === 0 && ((key?.length ?? 0) + (value?.length ?? 0)) * 3 + overheadBytes <= most) return;
    let size = bytesOf(key) + bytesOf(value) + overheadBytes;
    for (const [name, content] of headers) size += bytesOf(name) + bytesOf(content) + 10;
    if (size <= most) return;
    const shown =
      typeof key === 'string'
        ? `with key ${JSON.stringify(key.slice(0, 100))}`
        : key
          ? 'with a binary key'
          : 'without a key';
    throw new RecordTooLargeError(
      `A record ${shown} for the topic "${topic}" takes ${size} bytes, but max.message.bytes of the topic is ${most}: raise that, ` +
        `write smaller records, or compress them. Its value takes ${bytesOf(value)} bytes.`,
      { context: { sink: this.#settings.name, topic } },
    );
  }
}

const bytesOf = (part: Uint8Array | string | null): number =>
  part === null ? 0 : typeof part === 'string' ? Buffer.byteLength(part) : part.length;

/** The stream's key as a text: a tuple as JSON, with large integers as texts. */
export function keyText(key: Key | undefined): string | null {
  if (key === undefined) return null;
  if (typeof key === 'string') return key;
  if (typeof key !== 'object') return String(key);
  return JSON.stringify(key, (_, atom: unknown) => (typeof atom === 'bigint' ? String(atom) : atom));
}

function headersOf(given: readonly Header[] | Readonly<Record<string, string | Uint8Array | null>>): readonly Header[] {
  if (Array.isArray(given)) return given as readonly Header[];
  return Object.entries(given as Readonly<Record<string, string | Uint8Array | null>>).map(
    ([name, value]): Header => [name, typeof value === 'string' ? Buffer.from(value) : value],
  );
}
