/**
 * What the scripts of a task share. The fence is checked before anything else, because Lua does not roll back. Every script
 * that is followed by WAIT or WAITAOF ends with `touch`: these wait for what *this connection* wrote, and after a reconnection
 * that would be nothing if the script found its work done already.
 *
 * KEYS: 1 fence, 2 manifests, 3 names, 4 confirmed, 5 written, 6 released. ARGV[1]: the caller's fence token.
 */
export const prelude = `
local fence, manifests, names, confirmed, written, released = unpack(KEYS)
local token = ARGV[1]
local newestToken = redis.call('GET', fence) or '0'
if newestToken ~= token then return {'stale', newestToken} end

local function touch()
  redis.call('APPEND', fence, '')
end

-- For what decides, or gives memory back: Redis refuses a full script only until its first write, and this one takes nothing.
local function alsoWhenFull()
  redis.call('HDEL', names, '')
end

local function newestId()
  local last = redis.call('ZREVRANGE', confirmed, 0, 0, 'WITHSCORES')
  return last[2] and tonumber(last[2]) or 0
end

-- Drops a manifest; what only it named goes with the next collection, whenever that succeeds.
local function drop(manifest)
  for segment in string.gmatch(redis.call('HGET', names, manifest) or '', '[^\\n]+') do
    redis.call('SADD', released, segment)
  end
  redis.call('HDEL', manifests, manifest)
  redis.call('HDEL', names, manifest)
end
`;
