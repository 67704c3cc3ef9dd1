import type { StoreNotice } from '../../lib/index.ts';
import { hasWaitAof, type ServerConfig, type ServerInfo } from './server-info.ts';

type Notice = readonly [StoreNotice['level'], string];

/** What may be lost on this server, and when, said plainly; nothing where all is well. */
export function persistenceNotices(server: ServerInfo, config: ServerConfig): StoreNotice[] {
  const notices = [...unknown(server, config), ...disk(server, config), ...eviction(server)];
  return notices.map(([level, message]) => ({ level, message: `Redis at ${server.address}: ${message}` }));
}

function unknown(server: ServerInfo, config: ServerConfig): Notice[] {
  if (server.version === undefined) {
    return [
      [
        'info',
        'INFO is not allowed for this user, so it was not checked how durable the server is. Allow INFO and CONFIG GET, or ' +
          'see to it that appendonly is on and that maxmemory-policy is noeviction.',
      ],
    ];
  }
  if (config.appendFsync !== undefined) return [];
  return [
    [
      'info',
      'CONFIG GET is not allowed for this user, so appendfsync and the snapshot points were not checked. Allow it, or see ' +
        'to them yourself.',
    ],
  ];
}

function disk(server: ServerInfo, config: ServerConfig): Notice[] {
  const notices: Notice[] = [];
  if (server.isAofOn === false) notices.push(['warn', withoutAof(server, config)]);
  if (server.isAofOn === true) notices.push(...withAof(server, config));
  if (server.isAofBroken)
    notices.push(['warn', 'its last write to the append-only file failed: look at its disk and log.']);
  if (server.isSnapshotBroken) notices.push(['warn', 'its last snapshot (RDB) failed: look at its disk and log.']);
  return notices;
}

function withoutAof({ connectedReplicas }: ServerInfo, { snapshotPoints }: ServerConfig): string {
  const replicas = connectedReplicas
    ? ` Its replicas (${connectedReplicas}) keep the state only while one of them stays up.`
    : '';
  if (snapshotPoints === '') {
    return (
      'it keeps everything in memory only (appendonly no, no snapshots): WHEN IT STOPS, ALL STATE IS LOST, committed ' +
      `checkpoints included. Set appendonly yes.${replicas}`
    );
  }
  const since = snapshotPoints === undefined ? 'its last snapshot, if it takes any' : 'its last snapshot';
  return (
    `it has no append-only file (appendonly no): a crash loses every checkpoint that was committed since ${since}. ` +
    `Set appendonly yes.${replicas}`
  );
}

function withAof(server: ServerInfo, { appendFsync }: ServerConfig): Notice[] {
  if (appendFsync === 'no') {
    return [['warn', 'appendfsync is no: the operating system decides when a committed checkpoint is on the disk.']];
  }
  if (appendFsync !== 'everysec') return [];
  if (hasWaitAof(server)) {
    return [
      ['info', 'appendfsync is everysec: each commit waits up to a second for the disk. With always it need not wait.'],
    ];
  }
  return [
    [
      'warn',
      `appendfsync is everysec, and Redis ${server.version} cannot be waited for (WAITAOF comes with 7.2): a crash can lose ` +
        'the checkpoints that were committed in the last second or two. Set appendfsync always, or use Redis 7.2.',
    ],
  ];
}

function eviction({ maxMemoryBytes, maxMemoryPolicy }: ServerInfo): Notice[] {
  // The store's keys never expire, so the volatile policies leave them alone, as noeviction does.
  if (!maxMemoryBytes || !maxMemoryPolicy?.startsWith('allkeys-')) return [];
  return [
    [
      'warn',
      `maxmemory-policy is ${maxMemoryPolicy}: when its memory is full IT DELETES STATE, and the job cannot be recovered. ` +
        'Set maxmemory-policy noeviction, or give the job a server of its own.',
    ],
  ];
}
