import { prelude } from './prelude.ts';

/**
 * Reserves the name of a segment, so that collection knows of it before its bytes are there. ARGV: token, name, nonce of the
 * call: the same call may arrive twice.
 */
export const registerSegment = `${prelude}
local owner = redis.call('HGET', written, ARGV[2])
if owner and owner ~= ARGV[3] then return {'exists'} end
redis.call('HSET', written, ARGV[2], ARGV[3])
return {'done'}
`;
