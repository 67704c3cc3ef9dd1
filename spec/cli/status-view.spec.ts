import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { statusLines } from '../../cli/status-view.ts';
import { plainLook } from '../../cli/styled-line.ts';
import { UserCodeError } from '../../lib/errors.ts';
import type { JobStatus, WorkerStatus } from '../../lib/job/handle.ts';
import { someCheckpoint, someStatus } from './fake-handle.ts';

const at = new Date(2001, 0, 1, 12, 0, 0).getTime();
const checkpoint = { ...someCheckpoint, at };

function lines(change: Partial<JobStatus> = {}, width = Number.POSITIVE_INFINITY, notice?: string): string[] {
  const view = { status: { ...someStatus, ...change }, elapsedMs: 12_300, perSecond: 4_312.4, now: at + 3_000, notice };
  return statusLines(view, { ...plainLook, width });
}

const [flights] = someStatus.sources;
if (!flights) throw new Error('a source is expected');

describe('statusLines', () => {
  it('shows a running job', () => {
    expect(lines({ lastCheckpoint: checkpoint, restoredFrom: { id: 7, createdAt: at - 60_000 } })).toEqual([
      '● delays  running  12 s',
      '  flights     █████████████░░░░░░░░░░░  54 %  10,812 records',
      '  records     10,812 in, 11,002 out, 4,312/s',
      '  keys        182 in worst, 1,820 in last10',
      '  checkpoint  #12 3.0 s ago: 23 kB, 182 entries, in 4 ms',
      '  restored    from checkpoint #7, taken at 11:59:00',
    ]);
  });

  it('shows the end, with the bar full', () => {
    const finished = { ...flights, isFinished: true, progress: 0.99 };
    expect(lines({ phase: 'finished', sources: [finished], actors: [] })).toEqual([
      '✔ delays  finished  12 s',
      '  flights  ████████████████████████ 100 %  10,812 records  finished',
      '  records  10,812 in, 11,002 out, 4,312/s',
    ]);
  });

  it('shows no bar for input without an end, and that a source is paused', () => {
    const { progress: _, ...clicks } = { ...flights, name: 'clicks', isPaused: true };
    expect(lines({ sources: [clicks] })[1]).toBe('  clicks   10,812 records  paused until sinks catch up');
    expect(lines({ sources: [clicks], phase: 'stopping' })[1]).toBe('  clicks   10,812 records');
  });

  it('shows what failed and how often it was restarted, without secrets', () => {
    const error = new UserCodeError('connect redis://a:hunter2@h\n  failed');
    const shown = lines({ phase: 'restarting', attempt: 3, error });
    expect(shown[0]).toBe('↻ delays  restarting  12 s  2 restarts');
    expect(shown.at(-1)).toBe('  error    USER_CODE: connect redis://[redacted]@h   failed');
  });

  it('shows each worker: what it is in, its tasks, records, memory and restarts', () => {
    const worker = (name: string, over: Partial<WorkerStatus> = {}): WorkerStatus => {
      return { name, phase: 'running', tasks: ['0', '2'], restarts: 0, records: { in: 1_200, out: 3 }, ...over };
    };
    const workers = [
      worker('shop-1', { memoryBytes: 123_000_000 }),
      worker('shop-2', { phase: 'restarting', tasks: [], restarts: 2 }),
      worker('shop-3', { tasks: ['1'], restarts: 1 }),
    ];
    const shown = lines({
      workers,
      tasks: ['0', '1', '2'].map(task => ({ ...someStatus, task })),
      taskCount: 3,
      actors: [],
    });
    expect(shown.slice(2)).toEqual([
      '  records        10,812 in, 11,002 out, 4,312/s',
      '  tasks          0, 1, 2 of 3',
      '  worker shop-1  ● running  tasks 0, 2, 1,200 in, 123 MB',
      '  worker shop-2  ↻ restarting  no task, 1,200 in, 2 restarts',
      '  worker shop-3  ● running  task 1, 1,200 in, 1 restart',
    ]);
    const many = lines({ workers: Array.from({ length: 10 }, (_, i) => worker(`${i + 1}`)), actors: [] });
    expect(many.slice(-2)).toEqual(['  worker 8  ● running  tasks 0, 2, 1,200 in', '            and 2 workers more']);
  });

  it('tells skipped and abandoned checkpoints, and what is under way on request', () => {
    const shown = (outcome: 'skipped' | 'abandoned') =>
      lines({ lastCheckpoint: { ...checkpoint, outcome, reason: 'store away' } }, 80, 'SIGINT: stopping').slice(-2);
    expect(shown('skipped')).toEqual(['  checkpoint  skipped 3.0 s ago: nothing has changed', 'SIGINT: stopping']);
    expect(shown('abandoned')).toEqual(['  checkpoint  #12 abandoned 3.0 s ago: store away', 'SIGINT: stopping']);
  });

  it('sums up sources beyond the eighth', () => {
    const sources = Array.from({ length: 10 }, (_, i) => ({ ...flights, name: `part-${i}` }));
    const shown = lines({ sources });
    expect(shown).toHaveLength(1 + 8 + 1 + 2);
    expect(shown[9]?.trim()).toBe('and 2 sources more');
  });

  it('fits every width', () => {
    const change = {
      lastCheckpoint: checkpoint,
      sources: [{ ...flights, name: '漢字'.repeat(20) }],
      job: 'x'.repeat(90),
    };
    for (let width = 1; width <= 120; width++) {
      for (const line of lines(change, width, 'SIGINT: stopping with a final checkpoint')) {
        expect(stringWidth(line)).toBeLessThanOrEqual(width);
      }
    }
  });

  it('keeps progress outside 0 and 1 inside the bar', () => {
    expect(lines({ sources: [{ ...flights, progress: 7 }] })[1]).toContain('█'.repeat(24));
    expect(lines({ sources: [{ ...flights, progress: -1 }] })[1]).toContain('░'.repeat(24));
  });
});
