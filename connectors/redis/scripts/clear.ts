import { prelude } from './prelude.ts';

/** Drops every manifest of the task, but not the fence, and answers all segments. ARGV: token. */
export const clear = `${prelude}
alsoWhenFull()
local answer = {'done'}
for _, segment in ipairs(redis.call('HKEYS', written)) do
  redis.call('SADD', released, segment)
  table.insert(answer, segment)
end
redis.call('DEL', manifests, names, confirmed)
touch()
return answer
`;
