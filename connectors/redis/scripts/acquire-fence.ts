/**
 * Hands out the next fence token, also when memory is full (see the prelude): without one nothing can be given back. KEYS:
 * fence, names. ARGV: what it must be above.
 */
export const acquireFence = `
redis.call('HDEL', KEYS[2], '')
local newest = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1]))
local token = string.format('%.0f', newest + 1)
redis.call('SET', KEYS[1], token)
return token
`;
