import { describe, expect, it } from 'vitest';
import { memorySource } from '../../connectors/memory/index.ts';
import { check, from, JobDefinitionError, job, memoryStore, type Sink, start } from '../../lib/index.ts';
import { to } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';

const sink = (name: string, commitsWith?: string): Sink<number> => ({
  kind: 'spec',
  name,
  guarantee: 'exactly-once',
  ...(commitsWith === undefined
    ? {}
    : {
        commitsWith,
        commitsIn: () => {
          throw new Error('it was asked');
        },
      }),
  open: () => {
    throw new Error('it was opened');
  },
});

describe('the commit point of a task', () => {
  it('is refused, before anything is opened, when two sinks want different ones', async () => {
    const two = job('two', () => [
      from(memorySource([1])).pipe(to(sink('a', 'cluster A'))),
      from(memorySource([1], { name: 'other' })).pipe(to(sink('b', 'cluster B'))),
    ]);
    const refused = /"a" commits with cluster A and "b" with cluster B.*same cluster/s;
    expect(() => start(two, { store: memoryStore(), logger: quiet })).toThrow(refused);
    expect(() => start(two, { store: memoryStore(), logger: quiet })).toThrow(JobDefinitionError);
    expect(() => check(two)).toThrow(refused);
  });

  it('is made by one of the sinks that want the same', () => {
    const one = job('one', () => [
      from(memorySource([1])).pipe(to(sink('store'))),
      from(memorySource([1], { name: 'other' })).pipe(to(sink('a', 'cluster A'))),
      from(memorySource([1], { name: 'third' })).pipe(to(sink('b', 'cluster A'))),
    ]);
    expect(() => start(one, { store: memoryStore(), logger: quiet })).toThrow('it was asked');
  });
});
