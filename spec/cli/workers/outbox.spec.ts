import { describe, expect, it } from 'vitest';
import type { FromWorker } from '../../../cli/workers/messages.ts';
import { mostLines, Outbox } from '../../../cli/workers/outbox.ts';
import type { LogLine } from '../../../lib/scale/workers/worker.ts';
import { someCheckpoint, someStatus } from '../fake-handle.ts';

function outbox() {
  let now = 1_000;
  const due: { readonly at: number; readonly call: () => void }[] = [];
  const sent: { readonly at: number; readonly message: FromWorker & { is: 'news' } }[] = [];
  const box = new Outbox(
    message => void sent.push({ at: now, message: message as FromWorker & { is: 'news' } }),
    { now: () => now, later: (call, inMs) => void due.push({ at: now + inMs, call }) },
    () => 42,
  );
  const advance = (ms: number) => {
    const until = now + ms;
    for (;;) {
      const next = due.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      due.splice(due.indexOf(next), 1);
      now = next.at;
      next.call();
    }
    now = until;
  };
  return { box, sent, advance };
}

const line = (message: string, level: LogLine['level'] = 'info'): LogLine => ({ level, fields: {}, message });
const status = (records: number) => ({ ...someStatus, records: { in: records, out: 0 } });

describe('what a worker tells', () => {
  it('has at most four statuses a second, the latest of each time', () => {
    const { box, sent, advance } = outbox();
    for (let ms = 0; ms < 1_990; ms += 10) {
      box.status(status(ms));
      advance(10);
    }
    expect(sent.length).toBeLessThanOrEqual(8);
    expect(sent.map(({ message }) => message.status?.records.in)).toEqual([0, 240, 490, 740, 990, 1_240, 1_490, 1_740]);
    expect(sent[0]?.message.memoryBytes).toBe(42);
  });

  it('tells lines and checkpoints of one turn at once, in one message, whatever statuses wait for', () => {
    const { box, sent, advance } = outbox();
    box.status(status(1));
    advance(10);
    box.status(status(2));
    box.line(line('a'));
    box.checkpoint(someCheckpoint);
    box.line(line('b'));
    advance(0);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toMatchObject({
      at: 1_010,
      message: { checkpoints: [someCheckpoint], lines: [{ message: 'a' }, { message: 'b' }] },
    });
    expect(sent[1]?.message.status).toBeUndefined();
    advance(300);
    expect(sent[2]).toMatchObject({ at: 1_250, message: { status: { records: { in: 2 } }, lines: [] } });
  });

  it('drops and counts what is too much for one turn, but no errors', () => {
    const { box, sent, advance } = outbox();
    for (let i = 0; i < mostLines + 5; i++) box.line(line(`${i}`));
    box.line(line('worst', 'error'));
    advance(0);
    const lines = sent[0]?.message.lines ?? [];
    expect(lines).toHaveLength(mostLines + 2);
    expect(lines.slice(-2).map(({ message }) => message)).toEqual([
      'worst',
      '5 lines were not shown: there were too many at once',
    ]);
  });

  it('sends at the end what waits, and nothing twice', () => {
    const { box, sent, advance } = outbox();
    box.status(status(1));
    box.line(line('last'));
    box.flush();
    advance(1_000);
    expect(sent).toHaveLength(1);
    box.flush();
    expect(sent).toHaveLength(1);
  });
});
