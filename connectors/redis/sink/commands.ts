import type { Duration, Key } from '../../../lib/index.ts';

/** What a command writes: texts as UTF-8, numbers and bigints in decimal, bytes as they are. */
export type RedisValue = string | number | bigint | Uint8Array;

/** `SET`: a string, for good or for `ttl`, which counts from the commit. */
export interface SetCommand {
  readonly command: 'set';
  readonly key: string;
  readonly value: RedisValue;
  readonly ttl?: Duration;
}

/** `DEL`: a key of any type. */
export interface DeleteCommand {
  readonly command: 'delete';
  readonly key: string;
}

/** `INCRBY`: whole numbers only, as the type of the others is; count in the smallest unit. */
export interface IncrementCommand {
  readonly command: 'increment';
  readonly key: string;
  /** Default 1. */
  readonly by?: number | bigint;
}

/** `HSET`. */
export interface HashSetCommand {
  readonly command: 'hashSet';
  readonly key: string;
  readonly fields: Readonly<Record<string, RedisValue>>;
}

/** `HINCRBY`: whole numbers only. */
export interface HashIncrementCommand {
  readonly command: 'hashIncrement';
  readonly key: string;
  readonly field: string;
  /** Default 1. */
  readonly by?: number | bigint;
}

/** `XADD` with an id that the server gives. */
export interface StreamAddCommand {
  readonly command: 'streamAdd';
  readonly key: string;
  readonly fields: Readonly<Record<string, RedisValue>>;
  /** How many entries the stream keeps; all when left out. */
  readonly maxLength?: number;
  /** Lets the server keep some more, which is faster (`MAXLEN ~`); default `false`. */
  readonly approximately?: boolean;
}

/** `RPUSH`, or `LPUSH` for `end: 'left'`. */
export interface ListPushCommand {
  readonly command: 'listPush';
  readonly key: string;
  readonly values: readonly RedisValue[];
  /** Default `right`. */
  readonly end?: 'left' | 'right';
}

/** `ZADD`. */
export interface SortedSetAddCommand {
  readonly command: 'sortedSetAdd';
  readonly key: string;
  readonly member: RedisValue;
  readonly score: number;
}

/** `ZINCRBY`. */
export interface SortedSetIncrementCommand {
  readonly command: 'sortedSetIncrement';
  readonly key: string;
  readonly member: RedisValue;
  /** Default 1. */
  readonly by?: number;
}

/** One write of a record. */
export type RedisCommand =
  | SetCommand
  | DeleteCommand
  | IncrementCommand
  | HashSetCommand
  | HashIncrementCommand
  | StreamAddCommand
  | ListPushCommand
  | SortedSetAddCommand
  | SortedSetIncrementCommand;

/** What a sink's `write` is told beside the value. */
export interface RedisWriteContext {
  /** The record's key in the stream; `undefined` where the stream has none. */
  readonly key: Key | undefined;
  /** The record's event time, ms since 1970; `NaN` where it has none. */
  readonly timestamp: number;
  /** The name with the sink's hash tag in front, `{tag}:name`; the name itself where the sink has none. */
  tagged(name: string): string;
}
