/** Finds out whether scripts may write here. KEYS: a key that goes by itself. */
export const probe = `
return redis.call('SET', KEYS[1], '1', 'PX', 1000)
`;
