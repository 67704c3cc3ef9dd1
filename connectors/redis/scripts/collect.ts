import { prelude } from './prelude.ts';

/**
 * Drops committed manifests and answers the segments that have to go: those that nothing references any more, and those of
 * older tokens that nothing ever will. ARGV: token, then ids.
 */
export const collect = `${prelude}
alsoWhenFull()
local newest = newestId()
local expired = {}
for i = 2, #ARGV do
  local id = tonumber(ARGV[i])
  if newest == 0 or id >= newest then return {'kept', tostring(newest)} end
  expired[id] = true
end
local committed = redis.call('ZRANGE', confirmed, 0, -1, 'WITHSCORES')
for i = 1, #committed, 2 do
  if not expired[tonumber(committed[i + 1])] and redis.call('HEXISTS', manifests, committed[i]) == 0 then
    return {'lost', committed[i]}
  end
end
for i = 1, #committed, 2 do
  if expired[tonumber(committed[i + 1])] then
    redis.call('ZREM', confirmed, committed[i])
    drop(committed[i])
  end
end

local named = {}
for _, lines in ipairs(redis.call('HVALS', names)) do
  for segment in string.gmatch(lines, '[^\\n]+') do named[segment] = true end
end
local answer = {'done'}
local isListed = {}
for _, segment in ipairs(redis.call('SMEMBERS', released)) do
  if named[segment] then
    redis.call('SREM', released, segment)
  else
    isListed[segment] = true
    table.insert(answer, segment)
  end
end
for _, segment in ipairs(redis.call('HKEYS', written)) do
  local writer = string.match(segment, '^%d+-(%d+)-')
  if not named[segment] and not isListed[segment] and writer and tonumber(writer) < tonumber(token) then
    table.insert(answer, segment)
  end
end
touch()
return answer
`;
