import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FencedError, type Sink } from '../../lib/index.ts';
import { type Committed, SinkProbe } from './sink-probe.ts';

/** A sink over a real backend, empty at first. */
export interface SinkSubject<T> {
  /** A sink over the backend; each call declares it anew. */
  sink(): Sink<T>;
  /** The n-th record; what an incarnation writes again after a crash may differ, as `by` says. */
  record(n: number, by: number): T;
  /** What a consumer of the backend sees, in order. */
  visible(): Promise<readonly T[]>;
  dispose?(): Promise<void> | void;
}

type SetUp<T> = () => Promise<SinkSubject<T>> | SinkSubject<T>;

/** What every exactly-once sink must do, whatever it writes to. */
export function exactlyOnceSinkContract<T>(title: string, setUp: SetUp<T>): void {
  describe(`${title} keeps the contract of an exactly-once sink`, () => {
    let subject: SinkSubject<T>;
    let opened: SinkProbe<T>[];

    beforeEach(async () => {
      opened = [];
      subject = await setUp();
    });

    afterEach(async () => {
      for (const probe of opened) await probe.close();
      await subject.dispose?.();
      for (const probe of opened) expect(probe.errors).toEqual([]);
    });

    const open = async (token: number, from?: Committed): Promise<SinkProbe<T>> => {
      const probe = await SinkProbe.open(subject.sink(), token, from);
      opened.push(probe);
      return probe;
    };
    const records = (from: number, to: number, by = 1): T[] =>
      Array.from({ length: to - from }, (_, index) => subject.record(from + index, by));

    test('says that it is exactly-once, and finds nothing wrong with a place that it can write to', async () => {
      expect(subject.sink().guarantee).toBe('exactly-once');
      await subject.sink().check?.();
    });

    test('shows nothing before a commit, and all that came before the barrier after it', async () => {
      const probe = await open(1);
      probe.write(...records(0, 3));
      expect(await subject.visible()).toEqual([]);
      const first = await probe.prepare(1);
      expect(await subject.visible()).toEqual([]);
      await probe.commit(first);
      expect(await subject.visible()).toEqual(records(0, 3));
    });

    test('keeps what comes behind a barrier for the next checkpoint', async () => {
      const probe = await open(1);
      probe.write(...records(0, 2));
      probe.writer.barrier(1);
      probe.write(...records(2, 4));
      const flushed = probe.writer.flush(1);
      probe.write(...records(4, 5));
      const handle = await flushed;
      probe.write(...records(5, 6));
      await probe.commit({ id: 1, token: 1, handle });
      expect(await subject.visible()).toEqual(records(0, 2));
      await probe.checkpoint(2);
      expect(await subject.visible()).toEqual(records(0, 6));
    });

    test('takes more records while a commit is under way', async () => {
      const probe = await open(1);
      probe.write(...records(0, 2));
      const prepared = await probe.prepare(1);
      const committing = probe.commit(prepared);
      probe.write(...records(2, 4));
      await committing;
      await probe.checkpoint(2);
      expect(await subject.visible()).toEqual(records(0, 4));
    });

    test('carries what an abandoned checkpoint held over to the next one, in order', async () => {
      const probe = await open(1);
      probe.write(...records(0, 2));
      probe.writer.barrier(1);
      probe.write(...records(2, 4));
      await probe.writer.flush(1);
      probe.writer.abandon(1);
      probe.write(...records(4, 5));
      await probe.prepare(2);
      probe.writer.abandon(2);
      expect(await subject.visible()).toEqual([]);
      await probe.checkpoint(3);
      expect(await subject.visible()).toEqual(records(0, 5));
    });

    test('may abandon a checkpoint that was never flushed, or whose flush is under way', async () => {
      const probe = await open(1);
      probe.write(...records(0, 2));
      probe.writer.barrier(1);
      probe.writer.abandon(1);
      probe.writer.barrier(2);
      const flushing = probe.writer.flush(2);
      probe.writer.abandon(2);
      await flushing;
      await probe.checkpoint(3);
      expect(await subject.visible()).toEqual(records(0, 2));
    });

    test('commits a checkpoint with nothing in it, first, between and last', async () => {
      const probe = await open(1);
      await probe.checkpoint(1);
      probe.write(...records(0, 2));
      await probe.checkpoint(2);
      const empty = await probe.checkpoint(3);
      expect(JSON.stringify(empty.handle).length).toBeLessThan(1_000);
      expect(await subject.visible()).toEqual(records(0, 2));
      const again = await open(2, empty);
      again.write(...records(2, 3));
      await again.checkpoint(4);
      expect(await subject.visible()).toEqual(records(0, 3));
    });

    test('changes nothing when it commits the same checkpoint again', async () => {
      const probe = await open(1);
      probe.write(...records(0, 2));
      const first = await probe.checkpoint(1);
      await probe.commit(first);
      probe.write(...records(2, 3));
      await probe.checkpoint(2);
      await probe.commit(first);
      expect(await subject.visible()).toEqual(records(0, 3));
    });

    test('shows nothing of a checkpoint that a crash left undecided', async () => {
      const probe = await open(1);
      probe.write(...records(0, 2));
      const first = await probe.checkpoint(1);
      probe.write(...records(2, 5));
      await probe.prepare(2);
      const next = await open(2, first);
      expect(await subject.visible()).toEqual(records(0, 2));
      next.write(...records(2, 4, 2));
      await next.checkpoint(3);
      expect(await subject.visible()).toEqual([...records(0, 2), ...records(2, 4, 2)]);
    });

    test('starts again from nothing when a crash came before the first checkpoint counted', async () => {
      const probe = await open(1);
      probe.write(...records(0, 2));
      await probe.prepare(1);
      const next = await open(2);
      next.write(...records(0, 3, 2));
      await next.checkpoint(2);
      expect(await subject.visible()).toEqual(records(0, 3, 2));
    });

    test('shows at recovery what was decided before a crash, once', async () => {
      const probe = await open(1);
      probe.write(...records(0, 2));
      await probe.checkpoint(1);
      probe.write(...records(2, 5));
      const decided = await probe.prepare(2);
      await open(2, decided);
      expect(await subject.visible()).toEqual(records(0, 5));
      const third = await open(3, decided);
      expect(await subject.visible()).toEqual(records(0, 5));
      third.write(...records(5, 6));
      await third.checkpoint(3);
      expect(await subject.visible()).toEqual(records(0, 6));
    });

    test('is not disturbed by an older incarnation that goes on', async () => {
      const zombie = await open(1);
      zombie.write(...records(0, 2));
      const decided = await zombie.prepare(1);
      const next = await open(2, decided);
      await harmless(zombie.commit(decided));
      expect(await subject.visible()).toEqual(records(0, 2));
      next.write(...records(2, 4));
      await next.checkpoint(2);
      zombie.write(...records(2, 9));
      await harmless(zombie.commit(decided));
      zombie.writer.abandon(1);
      await harmless(zombie.prepare(3));
      expect(await subject.visible()).toEqual(records(0, 4));
      next.write(...records(4, 5));
      await next.checkpoint(3);
      expect(await subject.visible()).toEqual(records(0, 5));
    });

    test('holds a credit for each record at most until its checkpoint is committed', async () => {
      const probe = await open(1);
      probe.write(...records(0, 100));
      expect(probe.held).toBeGreaterThanOrEqual(0);
      expect(probe.held).toBeLessThanOrEqual(100);
      await probe.checkpoint(1);
      expect(probe.held).toBe(0);
    });

    test('gives back every credit when it is closed with records in it, and may be closed again', async () => {
      const probe = await open(1);
      probe.write(...records(0, 10));
      await probe.close();
      await probe.close();
      expect(probe.held).toBe(0);
      expect(await subject.visible()).toEqual([]);
    });

    test('shows, over random checkpoints, crashes and zombies, exactly what was decided', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async steps => {
          const run = await setUp();
          try {
            await new Run(run).follow(steps);
          } finally {
            await run.dispose?.();
          }
        }),
        { numRuns: 60 },
      );
    });
  });
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), count: fc.integer({ min: 1, max: 5 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('checkpoint' as const),
      /** Records that come behind the barrier, behind the flush. */
      during: fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 })),
      end: fc.constantFrom('commit', 'commit', 'commit twice', 'abandon', 'crash undecided', 'crash decided'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('zombie' as const), which: fc.nat() }) },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A task's life against the model: what was decided is all that may be seen, and after a recovery all of it is. */
class Run<T> {
  readonly #subject: SinkSubject<T>;
  readonly #zombies: { readonly probe: SinkProbe<T>; readonly decided: Committed | undefined }[] = [];
  #probe: SinkProbe<T> | undefined;
  #token = 0;
  #id = 0;
  #restored: Committed | undefined;
  #decided: readonly T[] = [];
  #pending: T[] = [];

  constructor(subject: SinkSubject<T>) {
    this.#subject = subject;
  }

  async follow(steps: readonly Step[]): Promise<void> {
    await this.#recover();
    for (const one of steps) {
      if (one.do === 'write') this.#write(one.count);
      else if (one.do === 'checkpoint') await this.#checkpoint(one);
      else if (one.do === 'crash') await this.#crash(undefined);
      else await this.#wake(one.which);
      expect(await this.#subject.visible()).toEqual(this.#decided);
    }
    await this.#crash(undefined);
    expect(await this.#subject.visible()).toEqual(this.#decided);
    for (const { probe } of this.#zombies) await probe.close();
    await this.#live.close();
    expect(await this.#subject.visible()).toEqual(this.#decided);
    expect(this.#live.held).toBe(0);
  }

  get #live(): SinkProbe<T> {
    if (!this.#probe) throw new Error('no incarnation lives');
    return this.#probe;
  }

  #write(count: number): void {
    for (let written = 0; written < count; written++) {
      const value = this.#subject.record(this.#decided.length + this.#pending.length, this.#token);
      this.#live.write(value);
      this.#pending.push(value);
    }
  }

  async #checkpoint({ during, end }: Extract<Step, { do: 'checkpoint' }>): Promise<void> {
    const id = ++this.#id;
    const before = [...this.#pending];
    this.#live.writer.barrier(id);
    this.#write(during[0]);
    const handle = await this.#live.writer.flush(id);
    const prepared = { id, token: this.#token, handle };
    this.#write(during[1]);
    if (end === 'abandon') {
      this.#live.writer.abandon(id);
      return;
    }
    if (end === 'crash undecided') return this.#crash(undefined);
    this.#decided = [...this.#decided, ...before];
    this.#restored = prepared;
    this.#pending = this.#pending.slice(before.length);
    if (end === 'crash decided') return this.#crash(prepared);
    await this.#live.commit(prepared);
    if (end === 'commit twice') await this.#live.commit(prepared);
  }

  /** The incarnation stops where it is, and may come back as a zombie. */
  async #crash(decided: Committed | undefined): Promise<void> {
    this.#zombies.push({ probe: this.#live, decided });
    await this.#recover();
  }

  async #recover(): Promise<void> {
    this.#pending = [];
    this.#probe = await SinkProbe.open(this.#subject.sink(), ++this.#token, this.#restored);
  }

  /** A zombie does what it was about to do; its commit point would refuse anything newer. */
  async #wake(which: number): Promise<void> {
    const zombie = this.#zombies[which % Math.max(1, this.#zombies.length)];
    if (!zombie) return;
    zombie.probe.write(this.#subject.record(99, zombie.probe.token));
    if (zombie.decided) await harmless(zombie.probe.commit(zombie.decided));
  }
}

/** A zombie may be refused as fenced; anything else is a failure. */
async function harmless(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    expect(error).toBeInstanceOf(FencedError);
  }
}

/** What every at-least-once sink must do: nothing is lost, and only what follows the newest checkpoint may come twice. */
export function atLeastOnceSinkContract<T>(title: string, setUp: SetUp<T>): void {
  describe(`${title} keeps the contract of an at-least-once sink`, () => {
    test('shows everything that came before a barrier once its checkpoint counts', async () => {
      const subject = await setUp();
      const probe = await SinkProbe.open(subject.sink(), 1);
      probe.write(subject.record(0, 1), subject.record(1, 1));
      await probe.checkpoint(1);
      expect(await subject.visible()).toEqual([subject.record(0, 1), subject.record(1, 1)]);
      expect(probe.held).toBe(0);
      await probe.close();
      await subject.dispose?.();
    });

    test('repeats only what came behind the newest checkpoint, over crashes', async () => {
      const subject = await setUp();
      const first = await SinkProbe.open(subject.sink(), 1);
      first.write(subject.record(0, 1));
      const committed = await first.checkpoint(1);
      first.write(subject.record(1, 1));
      await first.prepare(2);
      const second = await SinkProbe.open(subject.sink(), 2, committed);
      second.write(subject.record(1, 1), subject.record(2, 1));
      await second.checkpoint(3);
      expect(await subject.visible()).toEqual([0, 1, 1, 2].map(n => subject.record(n, 1)));
      await first.close();
      await second.close();
      await subject.dispose?.();
    });

    test('writes what an abandoned checkpoint held only once', async () => {
      const subject = await setUp();
      const probe = await SinkProbe.open(subject.sink(), 1);
      probe.write(subject.record(0, 1));
      await probe.prepare(1);
      probe.writer.abandon(1);
      probe.write(subject.record(1, 1));
      await probe.checkpoint(2);
      expect(await subject.visible()).toEqual([subject.record(0, 1), subject.record(1, 1)]);
      await probe.close();
      await subject.dispose?.();
    });
  });
}
