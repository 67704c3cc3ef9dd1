// Checked by `tsc -p tsconfig.json`, not run: what migrations are given, and what they make.
import { actor, type MigrationSteps, mapState } from '../../lib/index.ts';
import { reduce, scan } from '../../operators/index.ts';

interface Total {
  readonly cents: number;
}

const initial = (): Total => ({ cents: 0 });
const receive = (): void => {};

actor('function', {
  version: 2,
  migrate: (state, version, _key) => ({ cents: (state as number) * version }),
  initial,
  receive,
});
actor('method', {
  version: 2,
  migrate(state, version) {
    return { cents: (state as number) * version };
  },
  initial,
  receive,
});
// A step names the type of its own time.
actor('steps', {
  version: 3,
  migrate: { 1: (count: number) => [count], 2: ([count]: [number]) => ({ cents: count }) },
  initial,
  receive,
});
// @ts-expect-error: a function makes a state of this version
actor('wrong', { version: 2, migrate: () => 'text', initial, receive });
// @ts-expect-error: steps are functions
actor('no step', { version: 2, migrate: { 1: 7 }, initial, receive });

export const steps: MigrationSteps<string> = { 1: (count: number, key) => key.length + count };
scan('scan', (n: number, _: string) => n, 0, { version: 2, migrate: { 1: Number } });
reduce('reduce', (n: number, _: string) => n, 0, { version: 2, migrate: { 1: (text: string) => text.length } });

mapState<string, number>({ migrate: state => Number(state) });
// @ts-expect-error: its entries are numbers
mapState<string, number>({ migrate: String });
