import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** A file with both, as a broker's PEM key store wants them. */
  readonly store: string;
  /** A file with the certificate, for those who are to trust it. */
  readonly certFile: string;
}

/** A self-signed certificate, for `localhost` and 127.0.0.1. */
export function certificate(folder: string, name: string): Certificate {
  const certFile = path.join(folder, `${name}.cert.pem`);
  const keyFile = path.join(folder, `${name}.key.pem`);
  const store = path.join(folder, `${name}.pem`);
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', keyFile, '-out', certFile],
    ],
    { stdio: 'pipe' },
  );
  const [cert, key] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')];
  writeFileSync(store, `${key}${cert}`);
  return { cert, key, store, certFile };
}
