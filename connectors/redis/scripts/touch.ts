/**
 * Writes a segment's key without changing it, so that WAIT and WAITAOF on this connection cover the segment. KEYS: segment.
 * Answers its size, or -1 when it is not there.
 */
export const touch = `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
return redis.call('APPEND', KEYS[1], '')
`;
