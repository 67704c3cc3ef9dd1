import { prelude, verify } from './prelude.ts';

/** Whether parts are whole and can be applied as things are. ARGV: …, then name and number of pieces of each part. */
export const seal = `
${prelude}
${verify}
local names, counts = {}, {}
for at = 4, #ARGV, 2 do
  table.insert(names, ARGV[at])
  table.insert(counts, ARGV[at + 1])
end
local problem = verify(names, counts)
if problem then return problem end
touch()
return {'done'}
`;
