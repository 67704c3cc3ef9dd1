import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { memorySink } from '../../connectors/memory/index.ts';
import { actor, from, type JobSettings, job, type Key, memoryStore, start, type } from '../../lib/index.ts';
import { keyBy, scan, to } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';

interface Visits {
  n: number;
  pages: string[];
}

/** A running job that counts visits by user, and all of them, and is fed by hand. */
function visits(settings: JobSettings = {}) {
  const input = new Subject<{ user: Key; page: string }>();
  const byUser = scan<{ page: string }, Visits>(
    'by user',
    (state, { page }) => {
      state.n++;
      state.pages.push(page);
    },
    { n: 0, pages: [] },
  );
  const all = scan('all', (n: number) => n + 1, 0);
  const sink = memorySink<number>();
  const counting = job('visits', () =>
    from(input).pipe(
      keyBy(({ user }) => user),
      byUser,
      keyBy(() => 'all'),
      actor('recent', {
        emits: type<number>(),
        initial: () => 0,
        receive: (_, visit: Visits, ctx) => ctx.emit(visit.n),
      }),
      to(sink),
    ),
  );
  const unkeyed = job('visits', () => from(input).pipe(all));
  const given: JobSettings = { store: memoryStore(), logger: quiet, checkpoint: { interval: 'off' }, ...settings };
  return { input, start: () => start(counting, given), startUnkeyed: () => start(unkeyed, given) };
}

describe('ask', () => {
  it('answers from the live state of a key, before any checkpoint', async () => {
    const { input, start } = visits();
    const handle = start();
    input.next({ user: 'ann', page: '/' });
    input.next({ user: 'bob', page: '/' });
    input.next({ user: 'ann', page: '/cart' });
    await expect(handle.ask('by user', 'ann')).resolves.toEqual({ n: 2, pages: ['/', '/cart'] });
    await expect(handle.ask('by user', 'bob')).resolves.toEqual({ n: 1, pages: ['/'] });
    await expect(handle.ask('by user', 'nobody')).resolves.toBeUndefined();
    await handle.cancel();
  });

  it('compares keys by content: tuples, NaN and -0 too, and 1 is not the text 1', async () => {
    const { input, start } = visits();
    const handle = start();
    for (const user of [['de', 1], Number.NaN, 0, 1]) input.next({ user: user as Key, page: '/' });
    await expect(handle.ask('by user', ['de', 1])).resolves.toMatchObject({ n: 1 });
    await expect(handle.ask('by user', Number.NaN)).resolves.toMatchObject({ n: 1 });
    await expect(handle.ask('by user', -0)).resolves.toMatchObject({ n: 1 });
    await expect(handle.ask('by user', '1')).resolves.toBeUndefined();
    await expect(handle.ask('by user', ['de', '1'])).resolves.toBeUndefined();
    await handle.cancel();
  });

  it('answers for an un-keyed actor without a key', async () => {
    const { input, startUnkeyed } = visits();
    const handle = startUnkeyed();
    await expect(handle.ask('all')).resolves.toBeUndefined();
    input.next({ user: 'ann', page: '/' });
    await expect(handle.ask('all')).resolves.toBe(1);
    await expect(handle.ask('all', 'ann')).resolves.toBeUndefined();
    await handle.cancel();
  });

  it('answers with what cannot be changed, also when the state was restored and not touched since', async () => {
    const store = memoryStore();
    const first = visits({ store });
    const before = first.start();
    first.input.next({ user: 'ann', page: '/' });
    await before.stop();
    const { start } = visits({ store });
    const handle = start();
    const state = await handle.ask<Visits>('by user', 'ann');
    expect(() => state?.pages.push('/admin')).toThrow(TypeError);
    expect(() => Object.assign(state ?? {}, { n: 99 })).toThrow(TypeError);
    await expect(handle.ask('by user', 'ann')).resolves.toEqual({ n: 1, pages: ['/'] });
    await handle.cancel();
  });

  it('sees a state as it is between two records, never in the middle of one', async () => {
    const { input, start } = visits();
    const handle = start();
    const answers: Promise<unknown>[] = [];
    const asking = new Subject<{ user: Key; page: string }>();
    asking.subscribe(input);
    const page = {
      user: 'ann',
      get page() {
        answers.push(handle.ask('by user', 'ann'));
        return '/';
      },
    };
    asking.next(page);
    await expect(Promise.all(answers)).resolves.toEqual([{ n: 1, pages: ['/'] }]);
    await handle.cancel();
  });

  it('rejects for an unknown actor and names those that there are', async () => {
    const handle = visits().start();
    await expect(handle.ask('by-user', 'ann')).rejects.toThrow(
      'The job "visits" has no actor "by-user"; it has: by user, recent.',
    );
    await expect(handle.ask('by-user', 'ann')).rejects.toMatchObject({
      code: 'JOB_DEFINITION',
    });
    await handle.cancel();
  });

  it('rejects for what is no key', async () => {
    const handle = visits().start();
    await expect(handle.ask('by user', { id: 1 } as never)).rejects.toMatchObject({ code: 'INVALID_KEY' });
    await handle.cancel();
  });

  it('rejects while the job does not run, and says what it does instead', async () => {
    const handle = visits().start();
    await handle.stop();
    await expect(handle.ask('by user', 'ann')).rejects.toMatchObject({
      code: 'NOT_RUNNING',
      message: 'The job "visits" is stopped: its actors answer while it is running.',
    });
  });
});
