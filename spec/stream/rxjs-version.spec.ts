import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { loadedRxjs, verifyRxjs } from '../../lib/stream/rxjs-version.ts';

describe('the check of RxJS', () => {
  it.each(['7.8.0', '7.8.2', '7.10.0', undefined])('takes %s', version => {
    expect(() => verifyRxjs({ version, hasLift: true })).not.toThrow();
  });

  it.each(['5.5.12', '6.6.7', '7.7.0', '8.0.0', '8.0.0-alpha.14', 'latest'])(
    'refuses %s, and says what to do',
    version => {
      expect(() => verifyRxjs({ version, hasLift: true })).toThrow(
        `Tidemark works with RxJS 7.8 or newer 7. Version ${version} was loaded: install rxjs@^7.8 beside tidemark`,
      );
    },
  );

  it.each(['7.8.2', undefined])('refuses one whose operators do not go through lift(): %s', version => {
    expect(() => verifyRxjs({ version, hasLift: false })).toThrow(/RxJS 7\.8 or newer 7/);
  });

  it('knows the one that is installed', () => {
    expect(loadedRxjs()).toEqual({ version: expect.stringMatching(/^7\.\d+\.\d+/), hasLift: true });
  });

  it.each(['lib/index.ts', 'operators/index.ts', 'lib/testing/index.ts'])('is made when %s is loaded', module => {
    const script = `
      const { Observable } = await import('rxjs');
      delete Observable.prototype.lift;
      await import('./${module}').catch(error => console.log(error.code));
    `;
    const output = execFileSync(process.execPath, ['--conditions=tidemark-dev', '--input-type=module', '-e', script]);
    expect(output.toString().trim()).toBe('UNSUPPORTED_VERSION');
  });
});
