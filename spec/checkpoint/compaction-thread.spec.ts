import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CompactedSegment, compactStored, type StoredSegment } from '../../lib/checkpoint/compaction.ts';
import { CompactionThread, type CompactionThreadOptions } from '../../lib/checkpoint/compaction-thread.ts';
import { SegmentWriter, sealSegment } from '../../lib/checkpoint/segment.ts';
import { ExternalError, StateLostError } from '../../lib/errors.ts';
import { isPromise } from '../../lib/maybe-promise.ts';

const root = path.resolve(import.meta.dirname, '../..');
const options = { compression: 'zstd', maxBytes: 200_000 } as const;

async function stored(from: number, to: number): Promise<StoredSegment> {
  const writer = new SegmentWriter();
  for (let i = from; i < to; i++) writer.put(0, Buffer.from(`key-${i}`), Buffer.from(`value ${from} of ${i}`));
  const sealed = await sealSegment(writer.finish()[0]?.raw as Uint8Array, { compression: 'zstd' });
  return { ...sealed, where: `segment from ${from}` };
}

const sums = (segments: readonly CompactedSegment[]) => segments.map(({ checksum, entries }) => [checksum, entries]);

/** A thread that answers every request with the number of its thread, as an error. */
const echo = program(
  'parentPort.on("message", ({ id }) => parentPort.postMessage({ id, failed: { message: String(threadId) } }))',
);
function program(code: string): URL {
  return new URL(`data:text/javascript,import { parentPort, threadId } from 'node:worker_threads';${code}`);
}

describe('CompactionThread', () => {
  let chain: StoredSegment[];
  let thread: CompactionThread;
  const open = (settings: CompactionThreadOptions = {}) => {
    thread = new CompactionThread(settings);
    return thread;
  };
  beforeAll(async () => {
    chain = [await stored(0, 20_000), await stored(10_000, 30_000)];
  });
  afterEach(() => thread.close());

  it('gives what compaction here gives, and leaves the bytes that it was given', async () => {
    const expected = sums(await compactStored(chain, { ...options, sync: true }));
    const result = open().compact(chain, options);
    expect(isPromise(result)).toBe(true);
    expect(sums(await result)).toEqual(expected);
    expect(sums(await thread.compact(chain, options))).toEqual(expected);
    expect(chain[0]?.bytes.length).toBeGreaterThan(0);
  });

  it('takes several requests at a time', async () => {
    const expected = sums(await compactStored(chain, { ...options, sync: true }));
    const both = await Promise.all([
      open().compact(chain, options),
      thread.compact(chain, { ...options, keepDeletions: true }),
    ]);
    expect(both.map(sums)).toEqual([expected, expected]);
  });

  it('answers at once for little, and when it is asked to', async () => {
    open({ program: program('process.exit(1)') });
    expect(isPromise(thread.compact([await stored(0, 10)], options))).toBe(false);
    expect(isPromise(thread.compact(chain, { ...options, sync: true }))).toBe(false);
  });

  it('names a damaged segment', async () => {
    const [first, second] = chain as [StoredSegment, StoredSegment];
    const damaged = { ...second, bytes: second.bytes.with(100, 1 ^ (second.bytes[100] as number)) };
    const failing = open().compact([first, damaged], options);
    await expect(failing).rejects.toThrow(StateLostError);
    await expect(failing).rejects.toThrow('segment from 10000');
  });

  it.each([
    ['throws', 'parentPort.on("message", () => { throw new Error("out of luck") })', 'out of luck'],
    ['exits', 'parentPort.on("message", () => process.exit(3))', 'exit code 3'],
    ['cannot be read', 'this is not a program', 'Unexpected identifier'],
  ])('fails what is under way when its thread %s, and starts another for the next', async (_, code, message) => {
    open({ program: program(code) });
    for (let round = 0; round < 2; round++) {
      const failing = Promise.allSettled([thread.compact(chain, options), thread.compact(chain, options)]);
      for (const result of await failing) {
        const reason = (result as PromiseRejectedResult).reason;
        expect(reason).toBeInstanceOf(ExternalError);
        expect(reason.message).toContain(message);
      }
    }
  });

  it('ends the thread when it was idle for its time, and starts it again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      open({ program: echo, idleMs: 1_000 });
      const threadOf = async () =>
        (await Promise.allSettled([thread.compact(chain, options)]))[0] as PromiseRejectedResult;
      const first = (await threadOf()).reason.message;
      vi.advanceTimersByTime(999);
      expect((await threadOf()).reason.message).toBe(first);
      vi.advanceTimersByTime(1_000);
      expect((await threadOf()).reason.message).not.toBe(first);
    } finally {
      vi.useRealTimers();
    }
  });

  it('stops what is under way when it is closed, and takes nothing after that', async () => {
    open({ program: program('parentPort.on("message", () => undefined)') });
    const failing = expect(thread.compact(chain, options)).rejects.toThrow(ExternalError);
    await new Promise(setImmediate);
    await thread.close();
    await failing;
    await expect(thread.compact(chain, options)).rejects.toThrow('after its task was closed');
  });

  it('works from source and from the compiled package, and keeps no process alive', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-compaction-'));
    try {
      symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
      writeFileSync(
        path.join(folder, 'tsconfig.json'),
        JSON.stringify({
          extends: path.join(root, 'tsconfig.build.json'),
          compilerOptions: { rootDir: root, outDir: folder, declaration: false },
          include: [path.join(root, 'lib/checkpoint/compaction*.ts')],
        }),
      );
      writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
      const run = (...args: string[]) => {
        const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 15_000 });
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
        return stdout;
      };
      run(path.join(root, 'node_modules/typescript/bin/tsc'), '-p', folder);
      for (const [from, extension] of [
        [root, 'ts'],
        [folder, 'js'],
      ]) {
        const code = `
          import { CompactionThread } from '${from}/lib/checkpoint/compaction-thread.${extension}';
          import { SegmentWriter, sealSegment } from '${from}/lib/checkpoint/segment.${extension}';
          const writer = new SegmentWriter();
          for (let i = 0; i < 10_000; i++) writer.put(0, Buffer.from('key' + i % 5_000), new Uint8Array(10));
          const sealed = await sealSegment(writer.finish()[0].raw, { compression: 'zstd' });
          const [result] = await new CompactionThread().compact([{ ...sealed, where: 'it' }], { compression: 'zstd' });
          console.log(result.entries);`;
        expect(run('--input-type=module', '--eval', code)).toBe('5000\n');
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
