/** Finds out whether scripts may do here what a sink does. KEYS: state and part keys of a probe. ARGV: packed words. */
export const probe = `
local words = cmsgpack.unpack(ARGV[1])[1]
redis.call('HSET', KEYS[1], words[1], words[2])
redis.call('HMGET', KEYS[1], words[1], words[2])
redis.call('HLEN', KEYS[1])
redis.call('HDEL', KEYS[1], words[1])
redis.call('SADD', KEYS[2], words[1])
redis.call('SMEMBERS', KEYS[2])
redis.call('SREM', KEYS[2], words[1])
redis.call('UNLINK', KEYS[1], KEYS[2])
return redis.call('TYPE', KEYS[1])
`;
