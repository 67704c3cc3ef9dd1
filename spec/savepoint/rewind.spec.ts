import { describe, expect, it } from 'vitest';
import { type Manifest, manifestChecksum } from '../../lib/checkpoint/manifest.ts';
import { chosenOrigin, namesOf, rewoundOrigin } from '../../lib/savepoint/rewind.ts';
import { originOf, type Savepoint } from '../../lib/savepoint/savepoint.ts';
import { currentTasks, type StoredTask } from '../../lib/scale/current-tasks.ts';

const ref = { job: 'counts', task: '' };

function manifest(task: string, id: number, more: Partial<Manifest> = {}): Manifest {
  return {
    ...{
      format: 1,
      job: 'counts',
      task,
      id,
      token: 1,
      kind: 'checkpoint',
      createdAt: 0,
      sources: {},
      actors: {},
      sinks: {},
    },
    ...{ finished: [], jobFinished: false, closed: false },
    ...(task === 'main' ? {} : { tasks: { index: Number(task), count: 2, partitions: {} } }),
    ...more,
  } as Manifest;
}
const stored = (task: string, ...manifests: readonly Manifest[]): StoredTask => ({
  task,
  manifests: manifests.map(one => ({ manifest: one, confirmed: true })),
});
const prepared = (task: string, before: Manifest, after: Manifest): StoredTask => ({
  task,
  manifests: [
    { manifest: before, confirmed: true },
    { manifest: after, confirmed: false },
  ],
});

const saved = [manifest('0', 5), manifest('1', 6)];
const savepoint = {
  job: 'counts',
  name: 's',
  createdAt: 0,
  where: '',
  tasks: saved.map(one => ({ manifest: one })),
} as unknown as Savepoint;
const origin = { ...originOf(saved[0] as Manifest), checksum: 'of-all' };
const chosen = (
  tasks: readonly StoredTask[],
  rewind?: readonly number[],
  target: 'in place' | 'one' | 'several' = 'several',
) => chosenOrigin(ref, currentTasks(tasks), { savepoint, origin, rewind, target }).checksum;
const rewound = (rewind: readonly number[]) => rewoundOrigin(origin, rewind).checksum;
/** As a task of a line has it. */
const of = (task: string, id: number, spread: string): Manifest =>
  manifest(task, id, {
    tasks: { index: Number(task), count: 2, partitions: {}, spread },
    origin: { ...origin, checksum: spread },
  });

const atIt = saved.map(one => stored(one.task, one));
const goneOn = [stored('0', manifest('0', 9)), stored('1', manifest('1', 8))];

describe('the line that a start from a savepoint goes on with', () => {
  it('is that of the savepoint where the job has nothing, or nothing more', () => {
    for (const target of ['in place', 'one', 'several'] as const) {
      expect(chosen([], undefined, target)).toBe('of-all');
      expect(chosen(atIt, undefined, target)).toBe('of-all');
      expect(chosen(atIt, [5, 6], target)).toBe('of-all');
    }
  });

  it('is refused where more would be given up than was named', () => {
    expect(namesOf(currentTasks(goneOn) ?? { tasks: [] })).toEqual([9, 8]);
    for (const rewind of [undefined, [9], [8, 8], [9, 7], [9, 8, 1]]) {
      for (const target of ['in place', 'one', 'several'] as const) {
        expect(() => chosen(goneOn, rewind, target)).toThrow('--rewind 9,8;');
      }
    }
  });

  it('is another one for all that was named, which nothing else begins', () => {
    for (const target of ['in place', 'one', 'several'] as const)
      expect(chosen(goneOn, [9, 8], target)).toBe(rewound([9, 8]));
    expect(chosen(goneOn, [10, 8])).toBe(rewound([10, 8]));
    expect(rewound([9, 8])).not.toBe(rewound([9, 9]));
  });

  it('goes on once it has begun, committed or only prepared, and its words begin nothing later', () => {
    const line = rewound([9, 8]);
    const begun = [stored('0', of('0', 11, line)), ...goneOn.slice(1)];
    expect(chosen(begun, [9, 8])).toBe(line);
    expect(chosen([prepared('0', manifest('0', 9), of('0', 11, line)), ...goneOn.slice(1)], [9, 8])).toBe(line);
    const later = [stored('0', of('0', 20, 'later')), stored('1', of('1', 20, 'later'))];
    expect(() => chosen(later, [9, 8])).toThrow('--rewind 20,20;');
  });

  it('is not that of tasks of another form, though these have begun from the savepoint', () => {
    const several = [stored('0', of('0', 11, 'of-all')), stored('1', of('1', 11, 'of-all'))];
    expect(chosen(several)).toBe('of-all');
    expect(() => chosen(several, undefined, 'one')).toThrow('--rewind 11,11;');
    const one = [stored('main', manifest('main', 12, { origin })), ...several];
    expect(chosen(one, undefined, 'one')).toBe('of-all');
    expect(() => chosen(one)).toThrow('--rewind 12;');
  });

  it('is that of each task where all take up their own', () => {
    const descends = saved.map(one =>
      stored(one.task, manifest(one.task, 9, { origin: { ...origin, checksum: manifestChecksum(one) } })),
    );
    expect(chosen(descends, undefined, 'in place')).toBe('of-all');
    expect(() => chosen(descends)).toThrow('--rewind 9,9;');
  });
});
