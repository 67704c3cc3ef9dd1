export { RedisOutputError, RedisSinkError, RedisSinkRefusedError } from './errors.ts';
export type { RedisAddress, RedisStoreOptions } from './options.ts';
export type {
  DeleteCommand,
  HashIncrementCommand,
  HashSetCommand,
  IncrementCommand,
  ListPushCommand,
  RedisCommand,
  RedisValue,
  RedisWriteContext,
  SetCommand,
  SortedSetAddCommand,
  SortedSetIncrementCommand,
  StreamAddCommand,
} from './sink/commands.ts';
export type { RedisSinkOptions, RedisWrite } from './sink/options.ts';
export { redisSink } from './sink.ts';
export { redisStore } from './snapshot-store.ts';
