/** All manifests at one moment. KEYS: manifests, confirmed. Answers the committed names, and names with texts in turn. */
export const readManifests = `
return {redis.call('ZRANGE', KEYS[2], 0, -1), redis.call('HGETALL', KEYS[1])}
`;
