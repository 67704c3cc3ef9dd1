import { EMPTY, type Observable, of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { crash, memorySink, memorySource, memoryStore, takeCheckpoint } from '../../connectors/memory/index.ts';
import { from, type JobSettings, job, start, side as tag } from '../../lib/index.ts';
import { scan, to } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';

const settings = (): JobSettings => ({ store: memoryStore(), logger: quiet, checkpoint: { interval: 'off' } });

describe('to', () => {
  it('writes to a sink what is visible once the checkpoint is committed, once also after a crash', async () => {
    const sink = memorySink<number>();
    const source = memorySource(['a', 'b', takeCheckpoint, 'c', crash, 'd']);
    const counts = job(
      'counts',
      () =>
        from(source).pipe(
          scan('count', (n: number) => n + 1, 0),
          to(sink),
        ),
      {
        restart: { strategy: 'fixed-delay', attempts: 1, delay: 0 },
      },
    );
    await expect(start(counts, settings()).done).resolves.toBe('finished');
    expect(sink.committed).toEqual([1, 2, 3, 4]);
    expect(sink.written).toEqual([1, 2, 3, 3, 4]);
  });

  it('passes values on, so that several sinks can follow one another', async () => {
    const [first, second] = [memorySink<number>({ name: 'first' }), memorySink<number>({ name: 'second' })];
    const both = job('both', () => from(memorySource([1, 2])).pipe(to(first), to(second)));
    await start(both, settings()).done;
    expect([first.committed, second.committed]).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('gives a tag to the application: live as it passes, committed after its checkpoint', async () => {
    const totals = tag<number>('totals');
    const numbers = new Subject<number>();
    const seen: string[] = [];
    const handle = start(
      job('outputs', () => from(numbers).pipe(to(totals))),
      settings(),
    );
    handle.output(totals).subscribe(v => seen.push(`live ${v}`));
    handle.output(totals, { committed: true }).subscribe(v => seen.push(`committed ${v}`));
    numbers.next(1);
    handle.checkpoint();
    numbers.next(2);
    await handle.stop();
    expect(seen).toEqual(['live 1', 'committed 1', 'live 2', 'committed 2']);
  });

  it('finishes a job with an empty input, and fails one with the error of its input', async () => {
    const jobOf = (input: Observable<number>) => job('ends', () => from(input).pipe(to(memorySink<number>())));
    await expect(start(jobOf(EMPTY), settings()).done).resolves.toBe('finished');
    const failing = jobOf(throwError(() => new Error('no more')));
    await expect(start(failing, { ...settings(), restart: { strategy: 'none' } }).done).rejects.toThrow('no more');
  });

  it('is unsubscribed from its input when the job is cancelled, and writes nothing more', async () => {
    const numbers = new Subject<number>();
    const sink = memorySink<number>();
    const handle = start(
      job('cancelled', () => from(numbers).pipe(to(sink))),
      settings(),
    );
    numbers.next(1);
    expect(numbers.observed).toBe(true);
    await handle.cancel();
    expect(numbers.observed).toBe(false);
    expect([sink.written, sink.committed]).toEqual([[1], []]);
  });

  it('refuses to write outside a job', () => {
    expect(() => of(1).pipe(to(memorySink<number>()))).toThrow(/running job/);
  });
});
