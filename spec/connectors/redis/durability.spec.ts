import { describe, expect, it } from 'vitest';
import { type ServerCalls, waitUntilDurable } from '../../../connectors/redis/durability.ts';
import { StoreUnavailableError } from '../../../lib/errors.ts';

interface Server {
  readonly info: string | Error;
  readonly acknowledges?: number;
  readonly written?: number | Error;
}

/** A server that answers so, and the calls that it got. */
function server({ info, acknowledges = 0, written = 1 }: Server): ServerCalls & { readonly calls: string[] } {
  const calls: string[] = [];
  const answer = async <T>(what: T | Error): Promise<T> => {
    if (what instanceof Error) throw what;
    return what;
  };
  return {
    calls,
    address: 'h:1',
    info: () => answer(info),
    wait: (replicas, timeoutMs) => {
      calls.push(`WAIT ${replicas} ${timeoutMs}`);
      return answer(acknowledges);
    },
    waitAof: timeoutMs => {
      calls.push(`WAITAOF 1 0 ${timeoutMs}`);
      return answer(written);
    },
  };
}

const info = (version: string, aof: 0 | 1, replicas = 0) =>
  `redis_version:${version}\r\naof_enabled:${aof}\r\nconnected_slaves:${replicas}\r\n`;
const relaxed = { replicas: undefined, timeoutMs: 80, mustHaveReplica: () => false };

describe('waiting until what was written to Redis is durable', () => {
  it.each<[string, Server, string[]]>([
    ['7.2 with an append-only file: WAITAOF', { info: info('7.2.0', 1) }, ['WAITAOF 1 0 80']],
    ['8 likewise', { info: info('8.0.1', 1) }, ['WAITAOF 1 0 80']],
    ['7.0: the server has it on disk before it answers, or cannot say', { info: info('7.0.15', 1) }, []],
    ['7.2 without an append-only file', { info: info('7.2.0', 0) }, []],
    ['7.2 with replicas: both', { info: info('7.2.0', 1, 2), acknowledges: 2 }, ['WAITAOF 1 0 80', 'WAIT 1 80']],
    ['7.0 with replicas: WAIT', { info: info('7.0.15', 1, 2), acknowledges: 1 }, ['WAIT 1 80']],
  ])('%s', async (_, answers, calls) => {
    const asked = server(answers);
    await waitUntilDurable(asked, relaxed);
    expect(asked.calls).toEqual(calls);
  });

  it('demands the replicas of the settings, connected or not', async () => {
    const asked = server({ info: info('7.0.15', 1, 0), acknowledges: 2 });
    await waitUntilDurable(asked, { ...relaxed, replicas: 2 });
    expect(asked.calls).toEqual(['WAIT 2 80']);
    const few = server({ info: info('7.0.15', 1, 1), acknowledges: 1 });
    await expect(waitUntilDurable(few, { ...relaxed, replicas: 2 })).rejects.toThrow(/h:1: 1 of 2 replicas.*80 ms/);
    const none = server({ info: info('7.0.15', 1, 3) });
    await waitUntilDurable(none, { ...relaxed, replicas: 0 });
    expect(none.calls).toEqual([]);
  });

  it('demands one where there was one and another server may have taken over', async () => {
    const seen: [string, boolean][] = [];
    const mustHaveReplica = (address: string, has: boolean) => seen.push([address, has]) > 0;
    const asked = server({ info: info('7.0.15', 1, 0) });
    await expect(waitUntilDurable(asked, { ...relaxed, mustHaveReplica })).rejects.toThrow(StoreUnavailableError);
    expect(seen).toEqual([['h:1', false]]);
  });

  it('does not take a disk that did not answer for one that has it', async () => {
    const asked = server({ info: info('7.2.0', 1), written: 0 });
    await expect(waitUntilDurable(asked, relaxed)).rejects.toThrow(/h:1 did not bring.*disk within 80 ms/);
    const failing = server({ info: info('7.2.0', 1), written: new Error('ERR unknown command') });
    await expect(waitUntilDurable(failing, relaxed)).rejects.toThrow('unknown command');
  });

  it('tries WAITAOF where INFO is not allowed, and does without where the server has none', async () => {
    const noInfo = new Error("NOPERM this user has no permissions to run the 'info' command");
    const able = server({ info: noInfo });
    await waitUntilDurable(able, relaxed);
    expect(able.calls).toEqual(['WAITAOF 1 0 80']);
    for (const words of [
      "ERR unknown command 'WAITAOF'",
      'ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.',
    ]) {
      await waitUntilDurable(server({ info: noInfo, written: new Error(words) }), relaxed);
    }
    await expect(waitUntilDurable(server({ info: noInfo, written: 0 }), relaxed)).rejects.toThrow(
      StoreUnavailableError,
    );
    await expect(waitUntilDurable(server({ info: new Error('ECONNRESET') }), relaxed)).rejects.toThrow('ECONNRESET');
  });
});
