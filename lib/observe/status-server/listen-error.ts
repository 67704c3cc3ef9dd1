import { ExternalError } from '../../errors.ts';
import type { ListenAddress } from './listen-address.ts';

/** The address for the status cannot be listened on. */
export class ListenError extends ExternalError {
  override readonly code = 'LISTEN';
  override readonly retriable = false;

  constructor({ host, port }: ListenAddress, cause: NodeJS.ErrnoException) {
    const why = reasons[cause.code ?? '']?.(host, port) ?? `${cause.message}.`;
    super(`The status cannot be served at ${host}:${port}: ${why}`, { cause, context: { host, port } });
  }
}

const unknownHost = (host: string) => `${host} is not known. Give an address of this machine, or leave the host out.`;

const reasons: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (_, port) => `another process listens on port ${port}. Choose another port, or end that process.`,
  EACCES: (_, port) => `port ${port} is not allowed to this user. Choose one from 1024 on.`,
  EADDRNOTAVAIL: host => `${host} is no address of this machine. Give one that is, or leave the host out.`,
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
};
