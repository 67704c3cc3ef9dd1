import { describe, expect, it } from 'vitest';
import { behindFetched } from '../../../../connectors/kafka/source/fetched-extent.ts';
import { FakeLog } from './fake-log.ts';

const partition = { topic: 'payments', partition: 0 };
const records = (log: FakeLog, from = 0) => log.fetch(partition, from, 1e9, 'read_uncommitted').records;

describe('behindFetched', () => {
  it('is the offset behind the last batch, gaps at its end included', () => {
    const log = new FakeLog();
    log.append(['a', 'b']);
    log.append(['c'], { gapAtEnd: 4 });
    expect(behindFetched(records(log))).toBe(7);
  });

  it('ends before a batch that is cut off, wherever it is', () => {
    const log = new FakeLog();
    log.append(['a', 'b']);
    const first = records(log).length;
    log.append(['c']);
    const all = records(log);
    for (let length = first; length < all.length; length++) expect(behindFetched(all.subarray(0, length))).toBe(2);
    for (let length = 0; length < first; length++) expect(behindFetched(all.subarray(0, length))).toBeUndefined();
  });

  it('leaves a length that cannot be to the reader of the batch', () => {
    const log = new FakeLog();
    log.append(['a', 'b']);
    const torn = Buffer.concat([records(log), Buffer.alloc(100)]);
    expect(behindFetched(torn)).toBe(2);
  });
});
