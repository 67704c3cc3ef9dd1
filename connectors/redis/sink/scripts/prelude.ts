/**
 * What all scripts of a sink share but `claim`: whoever does not hold the newest claim is refused before anything else, as
 * Lua does not roll back.
 *
 * KEYS: 1 state, 2 parts. ARGV: 1 fence token, 2 nonce of the claim, 3 what the keys of parts begin with.
 */
export const prelude = `
local state, parts = KEYS[1], KEYS[2]
local token, nonce, base = ARGV[1], ARGV[2], ARGV[3]
local owner = redis.call('HMGET', state, 'token', 'nonce')
if owner[1] ~= token or owner[2] ~= nonce then return {'stale', owner[1] or ''} end

-- WAIT and WAITAOF wait for what this connection wrote: something, also when the work was done before.
local function touch()
  redis.call('HSET', state, 'token', token)
end
`;

/** Compares two checkpoints, written as \`<token>:<id>\`; empty is before all. */
export const newer = `
local function newer(a, b)
  if a == b or a == '' then return false end
  if b == '' then return true end
  local aToken, aId = string.match(a, '^(%d+):(%d+)$')
  local bToken, bId = string.match(b, '^(%d+):(%d+)$')
  if aToken ~= bToken then return tonumber(aToken) > tonumber(bToken) end
  return tonumber(aId) > tonumber(bId)
end
`;

/**
 * \`verify(names, counts)\`: whether parts are whole, and every command in them will do; answers \`nil\`, or the verdict.
 * Types are followed over the parts: what an earlier one leaves is what a later one finds.
 */
export const verify = `
local function isWhole(text, added)
  if text ~= '0' and not string.match(text, '^-?[1-9]%d*$') then return false end
  -- Numbers of Lua are not exact up there: what might overflow is refused.
  return math.abs(tonumber(text)) + tonumber(added) < 9.2233720368547e18
end

local function verify(names, counts)
  local known = {}
  for i, name in ipairs(names) do
    if redis.call('HLEN', base .. name) ~= tonumber(counts[i]) then return {'missing', name} end
  end
  for _, name in ipairs(names) do
    local piece = 0
    while true do
      local packed = redis.call('HGET', base .. name, 'n' .. piece)
      if not packed then break end
      piece = piece + 1
      for _, row in ipairs(cmsgpack.unpack(packed)) do
        local key, needs = row[1], row[2]
        local before = known[key]
        local found = before and before.type or redis.call('TYPE', key).ok
        local wanted = needs == 'integer' and 'string' or needs
        if needs ~= '' and found ~= 'none' and found ~= wanted then return {'type', key, found, wanted} end
        if found ~= 'none' and not (before and before.isReplaced) then
          if needs == 'integer' and not isWhole(redis.call('GET', key) or '0', row[5]) then return {'number', key} end
          for at = 6, #row, 2 do
            local value = redis.call('HGET', key, row[at])
            if value and not isWhole(value, row[at + 1]) then return {'number', key, row[at]} end
          end
        end
        known[key] = {type = row[3], isReplaced = row[4] == '1' or (before and before.isReplaced)}
      end
    end
  end
  return nil
end
`;
