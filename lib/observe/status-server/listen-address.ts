/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** Reached from this machine alone: who wants others to see it says so. */
export const loopback = '127.0.0.1';

/** `9464`, `0.0.0.0:9464`, `localhost:9464`, `[::1]:9464`; nothing for anything else. */
export function parseListenAddress(given: string): ListenAddress | undefined {
  const [, bracketed, named, digits] = /^(?:(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+)):)?(\d{1,5})$/i.exec(given) ?? [];
  if (digits === undefined || !isPort(Number(digits))) return undefined;
  return { host: bracketed ?? named ?? loopback, port: Number(digits) };
}

export function isPort(given: unknown): given is number {
  return Number.isInteger(given) && (given as number) >= 0 && (given as number) <= 65_535;
}

/** As in a URL. */
export function urlOf({ host, port }: ListenAddress): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
