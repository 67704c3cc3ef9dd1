export type { RedisAddress, RedisStoreOptions } from './options.ts';
export { redisStore } from './snapshot-store.ts';
