/** Hands out the next fence token. KEYS: fence. ARGV: what it must be above. */
export const acquireFence = `
local newest = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1]))
local token = string.format('%.0f', newest + 1)
redis.call('SET', KEYS[1], token)
return token
`;
