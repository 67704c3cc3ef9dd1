import { newer } from './prelude.ts';

/**
 * Takes the sink over for an incarnation, and says how far it is compared with the restored checkpoint.
 *
 * KEYS: state, parts. ARGV: fence token, nonce, what the keys of parts begin with, restored checkpoint (or empty), the one
 * whose writes come before its own, '1' when what is there is to be taken as it is, then the names of its parts.
 *
 * Answers a verdict and the newest applied checkpoint; then, when the claim was made, all staged parts.
 */
export const claim = `
${newer}
local state, parts = KEYS[1], KEYS[2]
local token, nonce, base, restored, after, keeps = unpack(ARGV)
local owner = redis.call('HMGET', state, 'token', 'nonce', 'applied')
local applied = owner[3] or ''
if owner[1] and owner[2] ~= nonce and tonumber(owner[1]) >= tonumber(token) then return {'stale', owner[1]} end

local isStaged = true
for at = 7, #ARGV do
  if redis.call('EXISTS', base .. ARGV[at]) == 0 then isStaged = false end
end
local verdict
if restored ~= '' and applied == restored then verdict = 'applied'
elseif applied == after and isStaged then verdict = 'pending'
elseif newer(applied, restored) then verdict = 'ahead'
else verdict = 'behind' end
if keeps ~= '1' and (verdict == 'ahead' or verdict == 'behind') then return {verdict, applied} end

-- Also where memory is full, as for apply.
redis.call('HDEL', state, '')
redis.call('HSET', state, 'token', token, 'nonce', nonce)
local answer = {verdict, applied}
for _, name in ipairs(redis.call('SMEMBERS', parts)) do table.insert(answer, name) end
return answer
`;
