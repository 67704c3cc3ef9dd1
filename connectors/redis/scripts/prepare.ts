import { prelude } from './prelude.ts';

/** Keeps a manifest as prepared. ARGV: token, \`<id>-<token>\`, id, text, names of its segments one a line. */
export const prepare = `${prelude}
local before = redis.call('HGET', manifests, ARGV[2])
local newest = newestId()
if tonumber(ARGV[3]) <= newest and not redis.call('ZSCORE', confirmed, ARGV[2]) then return {'back', tostring(newest)} end
if before and before ~= ARGV[4] then return {'exists'} end
redis.call('HSET', names, ARGV[2], ARGV[5])
redis.call('HSET', manifests, ARGV[2], ARGV[4])
touch()
return {'done'}
`;
