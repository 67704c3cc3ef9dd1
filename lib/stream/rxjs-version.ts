import { createRequire } from 'node:module';
import { Observable } from 'rxjs';
import { UnsupportedVersionError } from '../errors.ts';

/** What is known of the RxJS that was loaded. */
export interface LoadedRxjs {
  /** `undefined` where its package.json is not to be found, as in a bundle. */
  readonly version: string | undefined;
  /** Whether operators go through `lift()`, which is how native operators become part of a stream. */
  readonly hasLift: boolean;
}

/** Throws `UnsupportedVersionError` unless it is RxJS 7.8 or a newer 7. */
export function verifyRxjs({ version, hasLift }: LoadedRxjs): void {
  const [major = Number.NaN, minor = Number.NaN] = (version ?? '').split('.').map(Number);
  const isRight = version === undefined ? hasLift : hasLift && major === 7 && minor >= 8;
  if (isRight) return;
  const found =
    version === undefined ? 'Another one was loaded, whose version is not known' : `Version ${version} was loaded`;
  throw new UnsupportedVersionError(
    `Tidemark works with RxJS 7.8 or newer 7. ${found}: install rxjs@^7.8 beside tidemark ("npm ls rxjs" shows which are there).`,
  );
}

/** The RxJS that streams are made with. */
export function loadedRxjs(): LoadedRxjs {
  return { version: installedVersion(), hasLift: typeof Observable.prototype.lift === 'function' };
}

function installedVersion(): string | undefined {
  try {
    const { version } = createRequire(import.meta.url)('rxjs/package.json') as { version?: unknown };
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}
