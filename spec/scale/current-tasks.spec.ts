import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import { currentTasks } from '../../lib/scale/current-tasks.ts';

/** A task whose newest checkpoint is `id`, one of `count` tasks of a spread. */
const task = (name: string, id: number, count?: number, spread?: string) => ({
  task: name,
  manifests: [
    {
      confirmed: true,
      manifest: {
        task: name,
        id,
        ...(count === undefined
          ? {}
          : {
              tasks: { index: Number(name), count, partitions: { in: 4 }, ...(spread === undefined ? {} : { spread }) },
            }),
      } as unknown as Manifest,
    },
  ],
});
const named = (...stored: ReturnType<typeof task>[]) => {
  const current = currentTasks(stored);
  return (
    current && { tasks: current.tasks.map(one => one.task), missing: current.missing, count: current.layout?.count }
  );
};

describe('the present tasks of a job', () => {
  it('are none where nothing is stored, and all of one that was never spread anew', () => {
    expect(named()).toBeUndefined();
    expect(named(task('main', 3))).toEqual({ tasks: ['main'], missing: [], count: undefined });
    expect(named(task('0', 3, 2), task('1', 9, 2))).toEqual({ tasks: ['0', '1'], missing: [], count: 2 });
  });

  it('are those of the last spread; what was before is left over', () => {
    expect(named(task('main', 9), task('0', 10, 2, 'x'), task('1', 12, 2, 'x'))).toMatchObject({ tasks: ['0', '1'] });
    expect(named(task('main', 13), task('0', 10, 2, 'x'), task('1', 12, 2, 'x'))).toMatchObject({ tasks: ['main'] });
    expect(named(task('0', 20, 2, 'y'), task('1', 21, 2, 'y'), task('2', 15, 3, 'x'))).toEqual({
      tasks: ['0', '1'],
      missing: [],
      count: 2,
    });
  });

  it('lack those that were not filled yet, also where a task of an older spread has their name', () => {
    expect(named(task('0', 20, 3, 'z'), task('1', 15, 3, 'x'), task('2', 16, 3, 'x'))).toEqual({
      tasks: ['0'],
      missing: ['1', '2'],
      count: 3,
    });
  });
});
