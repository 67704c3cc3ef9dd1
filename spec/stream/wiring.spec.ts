import { asyncScheduler, map, mergeMap, startWith, take, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { actor, from, job, LiftError, memoryStore, type Source, start, type } from '../../lib/index.ts';
import { Discard, type Scope } from '../../lib/stream/stage.ts';
import { type Surroundings, Wiring } from '../../lib/stream/wiring.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { keyBy, scan, union } from '../../operators/index.ts';
import { settled } from '../checkpoint/coordinated.ts';
import { FailingStore, storeOf } from '../checkpoint/failing-store.ts';
import { quiet } from '../job/quiet.ts';
import { type AnyStream, DrivenJob, type Shown } from './driven-job.ts';

const values = (elements: readonly Shown[]) =>
  elements.map(element => (typeof element === 'object' ? element.value : element));

const scope: Scope = {
  timestamp: Number.NaN,
  key: undefined,
  hasFailed: false,
  scheduler: asyncScheduler,
  fail(error) {
    throw error;
  },
  enter: work => work(),
};

/** Surroundings that note what was wired, in order. */
function noting(notes: string[]): Surroundings {
  return {
    alignment: 'exactly-once',
    freezesState: true,
    source: (node, _out, id) => notes.push(`source ${node.name} as ${id}`),
    sink: () => new Discard(scope),
    actor: (stage, id) => notes.push(`actor ${stage.name} as ${id}`),
    captured() {},
    holdInput() {},
    random: () => 0,
    wasFinished: () => false,
    finished: id => notes.push(`finished ${id}`),
  };
}

/** The ids of a graph's nodes, inputs first. */
function idsOf(...ends: readonly AnyStream[]): string[] {
  const wiring = new Wiring(
    scope,
    noting([]),
    ends.map(({ node }) => node),
  );
  return wiring.nodes.map(node => wiring.idOf(node));
}

const input = (name = 'in') => from(new MarbleSource(name)) as AnyStream;
const count = (name: string) => scan(name, (n: number) => n + 1, 0);

describe('streams that are read several times', () => {
  it('share their source: it is opened and read once', () => {
    let opened = 0;
    const log = new MarbleSource('log');
    const counted: Source<unknown> = {
      kind: 'counted',
      name: 'counted',
      bounded: true,
      open(position, context) {
        opened++;
        return log.open(position, context);
      },
    };
    const job = new DrivenJob(() => {
      const stream = from(counted) as AnyStream;
      return { a: stream, b: stream.pipe(map(v => -v)), c: stream.pipe(count('n')) };
    });
    log.push({ kind: 'value', value: 1 });
    log.push({ kind: 'value', value: 2 });
    expect(opened).toBe(1);
    expect([values(job.elements('a')), values(job.elements('b')), values(job.elements('c'))]).toEqual([
      [1, 2],
      [-1, -2],
      [1, 2],
    ]);
    expect(job.handle.status.sources[0]?.records).toBe(2);
  });

  it('share native operators: side effects happen once, and they are subscribed once', () => {
    let taps = 0;
    let subscriptions = 0;
    const job = new DrivenJob(({ input }) => {
      const shared = input.pipe(tap({ next: () => taps++, subscribe: () => subscriptions++ }));
      return { a: shared, b: shared.pipe(map(v => v)), c: shared.pipe(map(v => v)) };
    });
    job.push(1);
    job.push(2);
    expect([taps, subscriptions]).toEqual([2, 1]);
    expect(values(job.elements('c'))).toEqual([1, 2]);
  });

  it('share an actor: it receives each record once', () => {
    let received = 0;
    const job = new DrivenJob(({ input }) => {
      const shared = input.pipe(
        actor<unknown, number, number>('counter', {
          emits: type<number>(),
          update: 'return',
          initial: () => 0,
          receive(n, _value, ctx) {
            received++;
            ctx.emit(n + 1);
            return n + 1;
          },
        }),
      );
      return { a: shared, b: shared.pipe(map(n => n * 10)), c: union(shared, shared) };
    });
    job.push('x');
    job.push('y');
    expect(received).toBe(2);
    expect([values(job.elements('a')), values(job.elements('b')), values(job.elements('c'))]).toEqual([
      [1, 2],
      [10, 20],
      [1, 1, 2, 2],
    ]);
  });

  it('are handled in the order in which their readers were declared, one record after another', () => {
    const order: string[] = [];
    const job = new DrivenJob(({ input }) => {
      const noted = (name: string) => input.pipe(tap(v => order.push(`${name}${v}`)));
      return { b: noted('b'), a: noted('a') };
    });
    job.push(1);
    job.push(2);
    expect(order).toEqual(['b1', 'a1', 'b2', 'a2']);
  });

  it('keep the key of a record apart on each branch', () => {
    const job = new DrivenJob(({ input }) => ({
      a: input.pipe(keyBy((v: number) => `a${v}`)),
      plain: input,
      b: input.pipe(keyBy((v: number) => v)),
    }));
    job.push(1, 5);
    const record = (key: unknown) => [{ value: 1, timestamp: 5, key }];
    expect([job.elements('a'), job.elements('plain'), job.elements('b')]).toEqual([
      record('a1'),
      record(undefined),
      record(1),
    ]);
  });
});

describe('a diamond that a union closes', () => {
  const diamond = () =>
    new DrivenJob(({ input }) => {
      const double = input.pipe(map(v => v * 2));
      return {
        output: union(
          double.pipe(keyBy(() => 'left')),
          double.pipe(
            mergeMap(v => [-v, -v]),
            keyBy(() => 'right'),
          ),
        ).pipe(count('n')),
      };
    });

  it('passes each record on both ways in order, and each barrier and the end once', () => {
    const job = diamond();
    job.push(1);
    job.checkpoint();
    job.push(2);
    job.complete();
    expect(values(job.elements())).toEqual([1, 1, 2, 'B1', 2, 3, 4, 'complete', 'B2']);
    expect(job.phase).toBe('finished');
  });

  it('passes each watermark once', () => {
    const job = diamond();
    job.watermark(5);
    job.watermark(6);
    expect(job.elements()).toEqual(['W5', 'W6']);
  });

  it('comes back from a checkpoint', () => {
    const job = diamond();
    job.push(1);
    job.checkpoint();
    job.push(2);
    job.crash();
    job.complete();
    expect(job.committed.output).toEqual([1, 1, 2, 2, 3, 4]);
  });
});

describe('Wiring', () => {
  const graph = () => {
    const stream = input();
    const keyed = stream.pipe(keyBy(v => v));
    const counted = keyed.pipe(count('n'));
    return [counted, union(stream.pipe(map(v => v)), keyed.pipe(map(v => v))), stream.pipe(map(v => v))] as const;
  };

  it('gives every node an id that stays the same however often the job is built', () => {
    expect(idsOf(...graph())).toEqual([
      'source:in',
      'source:in>key(actor:n)',
      'actor:n',
      'source:in>native',
      'source:in>key(actor:n)>native',
      'source:in>native+source:in>key(actor:n)>native>union',
      'source:in>native#2',
    ]);
    expect(idsOf(...graph())).toEqual(idsOf(...graph()));
  });

  it('tells branches that are alike apart by the actors and sinks behind them, in whatever order they are returned', () => {
    const branches = (...names: readonly string[]) => {
      const stream = input();
      return names.map(name => stream.pipe(map(v => v)).pipe(count(name)));
    };
    expect(idsOf(...branches('a', 'b'))).toEqual([
      'source:in',
      'source:in>native(actor:a)',
      'actor:a',
      'source:in>native(actor:b)',
      'actor:b',
    ]);
    expect(new Set(idsOf(...branches('b', 'a')))).toEqual(new Set(idsOf(...branches('a', 'b'))));
  });

  it('names the nodes of a graph whose branches join again and again at once', () => {
    let stream = input();
    for (let i = 0; i < 40; i++) stream = union(stream.pipe(map(v => v)), stream.pipe(map(v => -v)));
    expect(new Set(idsOf(stream.pipe(count('n')))).size).toBe(1 + 40 * 3 + 1);
  });

  it('keeps the ids when other branches are returned before or behind', () => {
    const before = idsOf(...graph());
    const added = (stream: AnyStream) => stream.pipe(map(v => v));
    expect(idsOf(...graph(), added(input('new')))).toEqual([...before, 'source:new', 'source:new>native']);
    expect(idsOf(added(input('new')), ...graph())).toEqual(['source:new', 'source:new>native', ...before]);
  });

  it('wires every node once, and what it reads behind it', () => {
    const notes: string[] = [];
    const stream = input();
    const ends = [stream.pipe(count('a')), union(stream, stream.pipe(count('b')))].map(({ node }) => node);
    const wiring = new Wiring(scope, noting(notes), ends);
    for (const end of ends) wiring.connect(end, new Discard(scope));
    expect(notes).toEqual(['actor a as actor:a', 'source in as source:in', 'actor b as actor:b']);
    expect(wiring.nodes).toHaveLength(4);
  });

  it('refuses to connect what is not part of the graph', () => {
    const wiring = new Wiring(scope, noting([]), [input().node]);
    expect(() => wiring.connect(input().node, new Discard(scope))).toThrow('not part of the graph');
  });

  it('makes the stage of a node that is reached from two sides once', () => {
    const wiring = new Wiring(scope, noting([]), []);
    const node = input().node;
    const first = wiring.stageOf(node, () => ({ stage: 1 }));
    expect(wiring.stageOf(node, () => ({ stage: 2 }))).toBe(first);
  });

  it('says which native operators make one group: those that nobody else reads', () => {
    const failing = map(() => {
      throw new Error('boom');
    });
    const message = (build: (stream: AnyStream) => Record<string, AnyStream>) => {
      const job = new DrivenJob(({ input }) => build(input));
      job.push(1);
      return job.error?.message;
    };
    const keep = map((v: unknown) => v);
    expect(message(stream => ({ a: stream.pipe(keep, keep, failing, keep) }))).toMatch(
      /^One of the 4 native operators after source "input"/,
    );
    expect(
      message(stream => {
        const shared = stream.pipe(keep, keep);
        return { a: shared.pipe(failing), b: shared };
      }),
    ).toMatch(/^A native operator after a native stream/);
    expect(message(stream => ({ a: stream.pipe(keep, count('n'), failing, keep) }))).toMatch(
      /^One of the 2 native operators after actor "n"/,
    );
  });

  it('closes everything although closing some of it fails, and throws the first failure', () => {
    const wiring = new Wiring(scope, noting([]), []);
    const closed: string[] = [];
    const failing = (name: string) => () => {
      closed.push(name);
      throw new Error(name);
    };
    wiring.onClose(failing('a'));
    wiring.onClose(() => closed.push('b'));
    wiring.onClose(failing('c'));
    expect(() => wiring.close()).toThrow('a');
    expect(closed).toEqual(['a', 'b', 'c']);
    wiring.close();
    expect(closed).toHaveLength(3);
  });
});

describe('a job that cannot be wired', () => {
  it('opens no source, also none that was wired before', () => {
    const opened: string[] = [];
    const watched = (name: string): Source<unknown> => ({
      kind: 'watched',
      name,
      bounded: true,
      open: () => {
        opened.push(name);
        throw new Error('opened');
      },
    });
    const job = new DrivenJob(() => ({
      a: from(watched('a')) as AnyStream,
      b: (from(watched('b')) as AnyStream).pipe(startWith(0)),
    }));
    expect(job.error).toBeInstanceOf(LiftError);
    expect(opened).toEqual([]);
  });

  it('reads nothing when all of its branches had ended before: only the final checkpoint is left', async () => {
    const store = new FailingStore(memoryStore().task({ job: 'ended', task: 'main' }));
    const held = Promise.withResolvers<void>();
    store.plan('prepare', held.promise);
    let started = 0;
    const source: Source<unknown> = {
      kind: 'watched',
      name: 'watched',
      bounded: true,
      open: () => ({ start: () => started++, position: () => 0, pause() {}, resume() {}, close() {} }),
    };
    const declared = job('ended', () => (from(source) as AnyStream).pipe(take(0)));
    const handle = start(declared, { store: storeOf(store), logger: quiet });
    await settled();
    expect(store.asked.at(-1)).toBe('prepare');
    held.resolve();
    await expect(handle.done).resolves.toBe('finished');
    expect(started).toBe(0);
  });

  it('lets nothing in before all that ended earlier has told its readers', () => {
    const job = new DrivenJob(({ input }) => ({
      output: union(input.pipe(take(1)), input.pipe(map(v => -v))).pipe(count('n')),
    }));
    job.push(1);
    job.checkpoint();
    job.push(2);
    job.crash();
    job.push(3);
    job.complete();
    expect(values(job.elements())).toEqual([1, 2, 'B1', 3, 3, 4, 'complete', 'B2']);
  });
});
