import { describe, expect, it } from 'vitest';
import { startWorkers, type WorkersRequest } from '../../../cli/workers/start-workers.ts';
import { memorySource } from '../../../connectors/memory/index.ts';
import { from, job, memoryStore } from '../../../lib/index.ts';
import { quiet } from '../../job/quiet.ts';
import { PartitionedLog } from '../../scale/partitioned-log.ts';

const spread = (settings = {}) => job('spread', () => from(new PartitionedLog({ partitions: 2 }).source()), settings);

const refused = (request: Partial<WorkersRequest>) => () =>
  startWorkers({
    ...{ job: spread(), module: 'job.ts', cwd: '/', workers: 2, store: '/store', log: 'info', logger: quiet },
    settings: { tasks: 'per-partition' },
    print() {},
    ...request,
  });

describe('a start of workers', () => {
  it.each([
    ['a store in memory', { store: 'memory:' }, /cannot share a store in memory/],
    [
      'a job whose own store is in memory',
      { store: undefined, job: spread({ store: memoryStore() }) },
      /cannot share a store/,
    ],
    [
      'a job whose sources have no partitions',
      { job: job('one', () => from(memorySource([1]))) },
      /no partitions that a group/,
    ],
    ['a fresh start', { settings: { tasks: 'per-partition', fresh: true } }, /fresh: several processes share/],
    ['settings that do not validate', { settings: { maxTasks: 0 } }, /maxTasks/],
  ] satisfies [string, Partial<WorkersRequest>, RegExp][])('refuses %s before there is one', (_, request, text) => {
    expect(refused(request)).toThrow(text);
  });
});
