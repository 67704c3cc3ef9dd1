import { describe, expect, it } from 'vitest';
import { NotRunningError } from '../../lib/errors.ts';
import { from, job, memoryStore, type Sink, type Source, start } from '../../lib/index.ts';
import { SharedServices } from '../../lib/task/shared-services.ts';
import { to } from '../../operators/index.ts';
import { ManualScheduler } from '../contract/manual-scheduler.ts';
import { keptLog, type LoggedLine } from '../contract/source-probe.ts';
import { quiet } from '../job/quiet.ts';

const services = (lines: LoggedLine[] = []) => {
  const scheduler = new ManualScheduler();
  return { scheduler, shared: new SharedServices(scheduler, keptLog(lines)) };
};

describe('what sources and sinks share', () => {
  it('is made by the first who asks, and is the same for all others', () => {
    const { shared } = services();
    const first = shared.of(
      'client:a',
      () => ({ at: 1 }),
      () => {},
    );
    expect(
      shared.of(
        'client:a',
        () => ({ at: 2 }),
        () => {},
      ),
    ).toBe(first);
    expect(
      shared.of(
        'client:b',
        () => ({ at: 3 }),
        () => {},
      ),
    ).toEqual({ at: 3 });
  });

  it('is closed once, last made first, past what cannot be closed', async () => {
    const closed: string[] = [];
    const lines: LoggedLine[] = [];
    const { shared } = services(lines);
    const make = (key: string) =>
      shared.of(
        key,
        () => key,
        async name => {
          if (name === 'b') throw new Error('stuck');
          closed.push(name);
        },
      );
    for (const key of ['a', 'b', 'c', 'a']) make(key);
    await shared.close();
    await shared.close();
    expect(closed).toEqual(['c', 'a']);
    expect(lines.map(({ level, fields }) => [level, fields])).toEqual([['warn', { service: 'b', error: 'stuck' }]]);
    expect(() => make('a')).toThrow(NotRunningError);
  });

  it('is not waited for when it does not close', async () => {
    const { scheduler, shared } = services();
    shared.of(
      'a',
      () => 1,
      () => new Promise<void>(() => {}),
    );
    const closed = shared.close();
    scheduler.advance(10_000);
    await closed;
  });
});

it('belongs to one incarnation of the task, and is closed behind its sources and sinks', async () => {
  const told: string[] = [];
  let made = 0;
  const share = (context: { shared: SharedServices['of'] }) =>
    context.shared(
      'counter',
      () => ++made,
      number => {
        told.push(`service ${number} closed`);
      },
    );
  const source: Source<string> = {
    kind: 'spec',
    name: 'in',
    bounded: true,
    open: (_, context) => {
      told.push(`source has ${share(context)}`);
      return {
        start: () => (made === 1 ? context.error(new Error('once')) : context.complete()),
        position: () => null,
        pause() {},
        resume() {},
        close: () => {
          told.push('source closed');
        },
      };
    },
  };
  const sink: Sink<string> = {
    kind: 'spec',
    name: 'out',
    guarantee: 'none',
    open: context => {
      told.push(`sink has ${share(context)}`);
      return {
        restore() {},
        write() {},
        barrier() {},
        flush: () => null,
        commit() {},
        abandon() {},
        close: () => {
          told.push('sink closed');
        },
      };
    },
  };
  const handle = start(
    job('shares', () => from(source).pipe(to(sink))),
    { store: memoryStore(), logger: quiet, restart: { strategy: 'fixed-delay', attempts: 1, delay: 0 } },
  );
  expect(await handle.done).toBe('finished');
  const of = (number: number) => [
    `sink has ${number}`,
    `source has ${number}`,
    'source closed',
    'sink closed',
    `service ${number} closed`,
  ];
  expect(told).toEqual([...of(1), ...of(2)]);
});
