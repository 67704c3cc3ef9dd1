/** What a server says of itself; a field is undefined where it says nothing, or may not be asked. */
export interface ServerInfo {
  /** `host:port`. */
  readonly address: string;
  readonly version: string | undefined;
  readonly connectedReplicas: number | undefined;
  readonly isAofOn: boolean | undefined;
  readonly isAofBroken: boolean | undefined;
  readonly isSnapshotBroken: boolean | undefined;
  readonly maxMemoryBytes: number | undefined;
  readonly maxMemoryPolicy: string | undefined;
}

/** What CONFIG GET says beyond that. */
export interface ServerConfig {
  readonly appendFsync: string | undefined;
  /** The points at which snapshots (RDB) are taken; empty when they are off. */
  readonly snapshotPoints: string | undefined;
}

/** Reads the reply of INFO; of the empty one nothing is known. */
export function parseInfo(address: string, reply: string): ServerInfo {
  const fields = new Map<string, string>();
  for (const line of reply.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  const number = (name: string) => (fields.has(name) ? Number(fields.get(name)) : undefined);
  const is = (name: string, value: string) => (fields.has(name) ? fields.get(name) === value : undefined);
  return {
    address,
    version: fields.get('redis_version'),
    connectedReplicas: number('connected_slaves'),
    isAofOn: is('aof_enabled', '1'),
    isAofBroken: is('aof_last_write_status', 'err'),
    isSnapshotBroken: is('rdb_last_bgsave_status', 'err'),
    maxMemoryBytes: number('maxmemory'),
    maxMemoryPolicy: fields.get('maxmemory_policy'),
  };
}

/** Whether the server knows WAITAOF (Redis 7.2). */
export function hasWaitAof({ version }: ServerInfo): boolean {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  return major > 7 || (major === 7 && minor >= 2);
}
