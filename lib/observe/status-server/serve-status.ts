import { SettingsError } from '../../errors.ts';
import type { JobHandle } from '../../job/handle.ts';
import { isPort, loopback } from './listen-address.ts';
import { openStatusServer, type StatusServer } from './status-server.ts';

export interface ServeStatusOptions {
  /** 0: any that is free; the answer tells which. */
  readonly port: number;
  /** `127.0.0.1` unless set, so that only this machine reaches it; `0.0.0.0` in a container. */
  readonly host?: string;
}

/**
 * Serves `/healthz`, `/readyz`, `/metrics` and `/status` of a started job over HTTP, without authentication. Ends with the job;
 * after a failure it stays, so that `/healthz` tells of it, until `close()`. It keeps no process alive. Rejects with a
 * `SettingsError` for options that are wrong, and with a `ListenError` when the address cannot be had.
 */
export async function serveStatus(
  handle: Pick<JobHandle, 'status' | 'registry' | 'done'>,
  { port, host = loopback }: ServeStatusOptions,
): Promise<Pick<StatusServer, 'url' | 'port' | 'close'>> {
  const problems = [
    ...(isPort(port) ? [] : [`port: ${String(port)} was given; accepted is a whole number from 0 to 65535`]),
    ...(typeof host === 'string' && host !== '' ? [] : ['host: accepted is a name or an address of this machine']),
  ];
  if (problems.length > 0) throw new SettingsError('The status cannot be served with these options', problems);
  const server = await openStatusServer({ host, port });
  server.show(handle);
  handle.done.then(
    () => server.close(),
    () => {},
  );
  return server;
}
