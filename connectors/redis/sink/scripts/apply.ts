import { newer, prelude, verify } from './prelude.ts';

/**
 * Carries out the parts of a checkpoint in one step, unless that or a newer one was applied before. Everything is verified
 * first; the pointer comes last. Should a command fail all the same, the place is kept, and the next try goes on from there.
 *
 * ARGV: …, the checkpoint, the one before it, then name and number of pieces of each part.
 */
export const apply = `
${prelude}
${newer}
${verify}
-- Also where memory is full: it is decided, and what was staged is given back. Redis refuses a script only until its first
-- write, and this one takes nothing.
redis.call('HDEL', state, '')
local checkpoint, after = ARGV[4], ARGV[5]
local kept = redis.call('HMGET', state, 'applied', 'resume')
local applied = kept[1] or ''
if applied == checkpoint or newer(applied, checkpoint) then
  touch()
  return {'done'}
end
if applied ~= after then return {'behind', applied} end

local names, counts = {}, {}
for at = 6, #ARGV, 2 do
  table.insert(names, ARGV[at])
  table.insert(counts, ARGV[at + 1])
end
local done = 0
local resumed, place = string.match(kept[2] or '', '^(%S+) (%d+)$')
if resumed == checkpoint then
  done = tonumber(place)
else
  local problem = verify(names, counts)
  if problem then return problem end
end

-- Before the first write: what cannot be read must not be found out in the middle.
local lists = {}
for _, name in ipairs(names) do
  local piece = 0
  while true do
    local packed = redis.call('HGET', base .. name, tostring(piece))
    if not packed then break end
    piece = piece + 1
    table.insert(lists, cmsgpack.unpack(packed))
  end
end

local at = 0
for _, list in ipairs(lists) do
  for _, words in ipairs(list) do
    at = at + 1
    if at > done then
      local reply = redis.pcall(unpack(words))
      if type(reply) == 'table' and reply.err then
        redis.call('HSET', state, 'resume', checkpoint .. ' ' .. string.format('%.0f', at - 1))
        return {'failed', words[1], words[2], reply.err}
      end
    end
  end
end

redis.call('HSET', state, 'applied', checkpoint)
redis.call('HDEL', state, 'resume')
for _, name in ipairs(names) do
  redis.call('UNLINK', base .. name)
  redis.call('SREM', parts, name)
end
return {'done'}
`;
