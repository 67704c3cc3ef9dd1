/** A key: compared by content, so tuples work; `1` and `'1'` differ, as in a `Map`. */
export type Key = KeyAtom | readonly KeyAtom[];
export type KeyAtom = string | number | bigint | boolean;

/** A value with its event timestamp (ms since 1970, `NaN` when it has none) and key: the view at the edges of a job. */
export class StreamRecord<T> {
  readonly value: T;
  readonly timestamp: number;
  readonly key: Key | undefined;
  constructor(value: T, timestamp = Number.NaN, key?: Key) {
    this.value = value;
    this.timestamp = timestamp;
    this.key = key;
  }
}

/** Says that no record with this timestamp or an earlier one is expected; `Infinity` at the end of bounded input. */
export class Watermark {
  readonly timestamp: number;
  /** Whether nothing at all is expected for now: where streams meet, this one holds nothing back until its next watermark. */
  declare readonly isIdle?: true;
  constructor(timestamp: number, isIdle = false) {
    this.timestamp = timestamp;
    if (isIdle) this.isIdle = true;
  }
}

/** Separates the records of checkpoint `id` from those of the next. */
export class Barrier {
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
}

/**
 * Says that nothing follows it: its source rests for the savepoint `id`, and so does every stage that it has passed, until the task begins anew.
 * Only in jobs whose tasks have channels between them.
 */
export class Rest {
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
}

export type Mark = Watermark | Barrier | Rest;
export type StreamElement<T> = StreamRecord<T> | Mark;
