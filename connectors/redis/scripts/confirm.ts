import { prelude } from './prelude.ts';

/** Commits a prepared manifest, then drops the prepared ones that it overtakes. ARGV: token, its name, id, the token in its name. */
export const confirm = `${prelude}
alsoWhenFull()
if not redis.call('ZSCORE', confirmed, ARGV[2]) then
  local newest = newestId()
  if tonumber(ARGV[3]) <= newest then return {'back', tostring(newest)} end
  if redis.call('HEXISTS', manifests, ARGV[2]) == 0 then return {'missing'} end
  redis.call('ZADD', confirmed, ARGV[3], ARGV[2])
  for _, other in ipairs(redis.call('HKEYS', manifests)) do
    local id, writer = string.match(other, '^(%d+)-(%d+)$')
    local isOvertaken = tonumber(id) <= tonumber(ARGV[3]) or tonumber(writer) < tonumber(ARGV[4])
    if isOvertaken and not redis.call('ZSCORE', confirmed, other) then drop(other) end
  end
end
touch()
return {'done'}
`;
