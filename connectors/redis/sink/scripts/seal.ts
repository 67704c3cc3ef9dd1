import { prelude, verify } from './prelude.ts';

/**
 * Whether parts are whole and can be applied as things are. ARGV: …, how many kinds of commands there are, for each its name
 * and a key of one, then name and number of pieces of each part.
 */
export const seal = `
${prelude}
${verify}
local firstPart = 5 + 2 * tonumber(ARGV[4])
-- From Redis 7.0 on a script may ask whether its user may do what it has not done yet.
for at = 5, redis.acl_check_cmd and firstPart - 1 or 0, 2 do
  if not redis.acl_check_cmd(ARGV[at], ARGV[at + 1]) then return {'denied', ARGV[at], ARGV[at + 1]} end
end
local names, counts = {}, {}
for at = firstPart, #ARGV, 2 do
  table.insert(names, ARGV[at])
  table.insert(counts, ARGV[at + 1])
end
local problem = verify(names, counts)
-- Nothing is decided yet: what is lost can be written anew.
if problem and problem[1] == 'missing' then return {'unstaged', problem[2]} end
if problem then return problem end
touch()
return {'done'}
`;
