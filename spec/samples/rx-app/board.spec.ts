import { Observable, Subject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { type JobHandle, memoryStore, type SnapshotStore, start } from '../../../lib/index.ts';
import { Board, type PageEvent } from '../../../samples/rx-app/board.ts';
import { sensorJob } from '../../../samples/rx-app/job.ts';
import type { Reading } from '../../../samples/rx-app/readings.ts';
import { quiet } from '../../job/quiet.ts';

const handles: JobHandle[] = [];
afterEach(() => Promise.all(handles.splice(0).map(handle => handle.cancel())));

function joined(readings$: Observable<Reading>, store: SnapshotStore = memoryStore()) {
  const handle = start(sensorJob(readings$, { silentAfter: '1h' }), {
    store,
    logger: quiet,
    checkpoint: { interval: 'off', onCancel: 'keep' },
    restart: { strategy: 'fixed-delay', attempts: 1, delay: 0 },
  });
  handles.push(handle);
  const board = new Board();
  board.follow(handle).subscribe();
  return { handle, board };
}

/** What a page sees, as `event sensor readings`. */
function seen(board: Board): string[] {
  const lines: string[] = [];
  board.events$.subscribe(({ event, data }: PageEvent) => {
    if (event === 'totals' || event === 'saved') lines.push(`${event} ${data.sensor} ${data.readings}`);
  });
  return lines;
}

const reading = (sensor: string): Reading => ({ sensor, celsius: 20, at: 1_000 });

describe('the board of the sample rx-app', () => {
  it('tells a page how everything is, and what changes then', async () => {
    const readings$ = new Subject<Reading>();
    const { handle, board } = joined(readings$);
    readings$.next(reading('roof'));
    readings$.next(reading('roof'));
    const page = seen(board);
    expect(page).toEqual(['totals roof 2']);
    readings$.next(reading('cellar'));
    await handle.stop();
    expect(page).toEqual(['totals roof 2', 'totals cellar 1', 'saved roof 1', 'saved roof 2', 'saved cellar 1']);
    expect(seen(board)).toEqual(['totals roof 2', 'saved roof 2', 'totals cellar 1', 'saved cellar 1']);
  });

  it('asks a job that comes back for what it has kept', async () => {
    const store = memoryStore();
    const before = new Subject<Reading>();
    const first = joined(before, store);
    before.next(reading('roof'));
    before.next(reading('cellar'));
    await first.handle.stop();
    const { board } = joined(new Subject(), store);
    await expect
      .poll(() => seen(board))
      .toEqual(['totals roof 1', 'saved roof 1', 'totals cellar 1', 'saved cellar 1']);
  });

  it('goes back with a job that restarts, and shows no total that was lost', async () => {
    const inputs = [new Subject<Reading>(), new Subject<Reading>()] as const;
    let attempt = 0;
    const { handle, board } = joined(
      new Observable(subscriber => inputs[attempt++ === 0 ? 0 : 1].subscribe(subscriber)),
    );
    inputs[0].next(reading('roof'));
    handle.checkpoint();
    await expect.poll(() => seen(board)).toEqual(['totals roof 1', 'saved roof 1']);
    inputs[0].next(reading('roof'));
    inputs[0].next(reading('cellar'));
    expect(seen(board)).toEqual(['totals roof 2', 'saved roof 1', 'totals cellar 1']);
    inputs[0].error(new Error('the network is gone'));
    await expect.poll(() => handle.status.attempt).toBe(2);
    await expect.poll(() => seen(board)).toEqual(['totals roof 1', 'saved roof 1']);
  });

  it('ends for its pages when it is closed', () => {
    const board = new Board();
    let hasEnded = false;
    board.events$.subscribe({ complete: () => (hasEnded = true) });
    board.close();
    expect(hasEnded).toBe(true);
  });
});
