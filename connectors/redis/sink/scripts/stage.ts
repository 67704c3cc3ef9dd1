import { prelude } from './prelude.ts';

/** Keeps one piece of a part; the same piece may come twice. ARGV: …, name of the part, name of the piece, its bytes. */
export const stage = `
${prelude}
redis.call('SADD', parts, ARGV[4])
redis.call('HSET', base .. ARGV[4], ARGV[5], ARGV[6])
return {'done'}
`;
