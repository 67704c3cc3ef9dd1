import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { keyOf, type MapKey, mapKey } from '../../lib/actor/key.ts';
import { decodeKey } from '../../lib/actor/key-codec.ts';
import { TimerQueue } from '../../lib/actor/timer-queue.ts';
import { decodeManifest, encodeManifest } from '../../lib/checkpoint/manifest.ts';
import { identityOf } from '../../lib/checkpoint/recovery-decision.ts';
import { openSegment, readEntries } from '../../lib/checkpoint/segment.ts';
import { decodeValue } from '../../lib/checkpoint/value-codec.ts';
import { delta, deltaTimer, eventTimers, full, processingTimers } from '../fixtures/snapshots/contents.ts';
import { difference } from './strict-equality.ts';

const fixtures = path.resolve(import.meta.dirname, '../fixtures/snapshots');
const current = 'format-1';
const formats = readdirSync(fixtures).filter(name => name.startsWith('format-'));

describe('snapshots that were written earlier', () => {
  it.each(formats)('are restored unchanged: %s', async format => {
    const at = (name: string) => path.join(fixtures, format, name);
    const manifest = decodeManifest(readFileSync(at('manifest'), 'utf8'), at('manifest'));
    expect(manifest).toMatchObject({ job: 'fixture', id: 7, token: 3, finished: ['first-ten'], closed: false });
    expect(manifest.sources['flights.json']?.position).toEqual({ file: 0, byte: 1_234, fingerprint: 'ab' });

    const state = new Map<MapKey, unknown>();
    const event = new TimerQueue();
    const processing = new TimerQueue();
    for (const { name, checksum, entries } of manifest.actors.total?.segments ?? []) {
      const raw = await openSegment(readFileSync(at(`${name}.segment`)), checksum, name);
      let count = 0;
      readEntries(raw, (kind, buffer, keyStart, keyEnd, valueStart, valueEnd) => {
        count++;
        const timers = [undefined, event, processing][kind];
        if (timers) {
          if (valueEnd < 0) timers.restoreDeletion(buffer, keyStart, keyEnd);
          else timers.restore(buffer, keyStart, keyEnd);
        } else if (valueEnd < 0) {
          state.delete(decodeKey(buffer, keyStart, keyEnd));
        } else {
          state.set(decodeKey(buffer, keyStart, keyEnd), decodeValue(buffer, valueStart, valueEnd));
        }
      });
      expect(count).toBe(entries);
    }

    const expected = new Map(full.map(([key, value]) => [mapKey(key), value]));
    for (const entry of delta) {
      if (entry.length === 1) expected.delete(mapKey(entry[0]));
      else expected.set(mapKey(entry[0]), entry[1]);
    }
    expect(difference(state, expected)).toBeUndefined();
    expect(state.size).toBe(manifest.actors.total?.keys);
    const timersOf = (queue: TimerQueue) => Array.from(queue, ({ key, time }) => [keyOf(key), time]);
    expect(timersOf(event)).toEqual([...eventTimers.slice(1), deltaTimer]);
    expect(timersOf(processing)).toEqual(processingTimers);
  });

  it('were decided by the store, when they are from before there was anything else', () => {
    const at = path.join(fixtures, 'format-1', 'manifest');
    const manifest = decodeManifest(readFileSync(at, 'utf8'), at);
    expect(manifest.commitPoint).toBeUndefined();
    expect(identityOf(manifest)).toEqual({ kind: 'store' });
    const commitPoint = { kind: 'kafka', clusterId: 'abc', location: 'kafka://a:9092' };
    expect(decodeManifest(encodeManifest({ ...manifest, commitPoint }), 'new').commitPoint).toEqual(commitPoint);
  });

  it('are still written in the same format, or in one with a new number', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-format-'));
    try {
      const written = path.join(folder, 'now');
      const { status, stderr } = spawnSync(process.execPath, [path.join(fixtures, 'write.ts'), written], {
        encoding: 'utf8',
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(await rawSegments(written)).toEqual(await rawSegments(path.join(fixtures, current)));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** The content of all segments, without compression, whose output may differ between versions of Node. */
async function rawSegments(folder: string): Promise<string[]> {
  const manifest = decodeManifest(readFileSync(path.join(folder, 'manifest'), 'utf8'), folder);
  const raws: string[] = [];
  for (const { name, checksum } of manifest.actors.total?.segments ?? []) {
    const raw = await openSegment(readFileSync(path.join(folder, `${name}.segment`)), checksum, name);
    raws.push(Buffer.from(raw).toString('hex'));
  }
  return raws;
}
