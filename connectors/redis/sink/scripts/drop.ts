import { prelude } from './prelude.ts';

/** Removes parts that no checkpoint names. ARGV: …, then their names. */
export const drop = `
${prelude}
for at = 4, #ARGV do
  redis.call('UNLINK', base .. ARGV[at])
  redis.call('SREM', parts, ARGV[at])
end
return {'done'}
`;
