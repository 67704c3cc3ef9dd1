import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinedPosition, partitionCounts, slicePosition } from '../../connectors/kafka/scale/joined-position.ts';
import { readPosition } from '../../connectors/kafka/source/position.ts';
import { entryKinds } from '../../lib/actor/actor-state.ts';
import { mapKey } from '../../lib/actor/key.ts';
import { decodeKey, encodeKey } from '../../lib/actor/key-codec.ts';
import { nameOf } from '../../lib/actor/keyed-entries.ts';
import { timerName } from '../../lib/actor/timer-name.ts';
import type { Json, Manifest, TaskLayout } from '../../lib/checkpoint/manifest.ts';
import { SegmentWriter, sealSegment } from '../../lib/checkpoint/segment.ts';
import { decodeValue, encodeValue } from '../../lib/checkpoint/value-codec.ts';
import { rawEntries } from '../../lib/savepoint/read-state.ts';
import type { SavedTask } from '../../lib/savepoint/savepoint.ts';
import { spreadActors } from '../../lib/savepoint/spread-actors.ts';
import { spreadManifest } from '../../lib/savepoint/spread-manifest.ts';
import type { Key } from '../../lib/stream/elements.ts';
import type { SourceSpread } from '../../lib/task/source.ts';

const ref = { job: 'j', task: 't' };
const layoutOf = (index: number, count: number): TaskLayout => ({ index, count, partitions: { in: 12 } });

/** One manifest with what the case is about. */
const manifest = (of: Partial<Manifest>): Manifest => ({
  format: 1,
  ...ref,
  id: 1,
  token: 1,
  kind: 'savepoint',
  createdAt: 0,
  sources: {},
  actors: {},
  sinks: {},
  finished: [],
  jobFinished: false,
  closed: true,
  ...of,
});

const spread: Pick<SourceSpread, 'respread'> = {
  respread(positions, source) {
    const joined = joinedPosition(positions, source);
    return { partitions: partitionCounts(joined), of: slice => slicePosition(joined, slice), backlog: async () => [] };
  },
};
const spreads = new Map([['in', spread as SourceSpread]]);

const whole = fc.record({
  topics: fc.dictionary(
    fc.constantFrom('a', 'b', '__proto__'),
    fc.array(fc.nat(1_000), { minLength: 1, maxLength: 9 }),
    { minKeys: 1, maxKeys: 3 },
  ),
  watermark: fc.option(fc.nat(1_000)),
  clocks: fc.option(fc.dictionary(fc.constantFrom('a-0', 'a-1', 'b-0'), fc.nat(99))),
});
const offsetsOf = (position: Json) => {
  const { partitions } = readPosition(position, 'in');
  return [...partitions.entries()].map(([{ topic, partition }, next]) => `${topic}-${partition}:${next}`).sort();
};
const spreadOver = (manifests: readonly Manifest[], count: number) =>
  Array.from({ length: count }, (_, index) =>
    spreadManifest(manifests, { ref: { job: 'j', task: `${index}` }, layout: layoutOf(index, count), spreads }),
  );

describe('positions of a savepoint that is spread anew', () => {
  it('cover every partition once, over any number of tasks, and come back as they were', () => {
    fc.assert(
      fc.property(whole, fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }), (of, counts) => {
        const position: Json = {
          cluster: 'c',
          group: 'g',
          partitions: Object.fromEntries(Object.entries(of.topics).map(([topic, offsets]) => [topic, { ...offsets }])),
          ids: { a: '1' },
        };
        const { watermark, clocks } = of;
        const entry = {
          position,
          finished: false,
          watermark,
          ...(clocks && { clocks: { by: 'bound', partitions: clocks } }),
        };
        const before = [manifest({ sources: { in: entry } })];
        let tasks: readonly Manifest[] = before;
        for (const count of counts) {
          tasks = spreadOver(tasks, count);
          expect(tasks.flatMap(({ sources }) => offsetsOf(sources.in?.position ?? null)).sort()).toEqual(
            offsetsOf(position),
          );
          for (const [index, { sources, tasks: layout }] of tasks.entries()) {
            expect(layout).toEqual(layoutOf(index, count));
            const { partitions } = readPosition(sources.in?.position ?? null, 'in');
            for (const [{ partition }] of partitions.entries()) expect(partition % count).toBe(index);
          }
        }
        const merged = spreadManifest(tasks, { ref, layout: undefined, spreads });
        expect(merged.sources.in?.watermark).toBe(watermark);
        expect(merged.sources.in?.clocks).toEqual(entry.clocks);
        expect(offsetsOf(merged.sources.in?.position ?? null)).toEqual(offsetsOf(position));
      }),
    );
  });

  it('go with the lowest watermark; one that has none holds all back', () => {
    const at = (watermark: number | null, partition: number) =>
      manifest({
        sources: {
          in: {
            position: { cluster: 'c', group: 'g', partitions: { a: { [partition]: 1 } } },
            finished: false,
            watermark,
          },
        },
      });
    const merged = (...watermarks: (number | null)[]) =>
      spreadManifest(watermarks.map(at), { ref, layout: undefined, spreads }).sources.in?.watermark;
    expect(merged(7, 3, 5)).toBe(3);
    expect(merged(7, null)).toBeNull();
  });

  it('are refused where a task has ended and another has not, where two have a partition, and for other clusters', () => {
    const position = (cluster: string, partition: number) => ({
      cluster,
      group: 'g',
      partitions: { a: { [partition]: 1 } },
    });
    const of = (given: Json, finished = false) =>
      manifest({ sources: { in: { position: given, finished, watermark: null } } });
    const merge = (...manifests: Manifest[]) => spreadManifest(manifests, { ref, layout: undefined, spreads });
    expect(() => merge(of(position('c', 0)), of(position('c', 1), true))).toThrow(/have ended in one/);
    expect(() => merge(of(position('c', 0)), of(position('c', 0)))).toThrow(/two of them have a-0/);
    expect(() => merge(of(position('c', 0)), of(position('d', 1)))).toThrow(/different clusters/);
    expect(() => merge(of(position('c', 0)), manifest({}))).toThrow(/no position of the source "in"/);
  });
});

/** A task with entries of the actor "a". */
async function saved(
  task: string,
  entries: readonly (readonly [kind: number, name: string | number | bigint | boolean, value: unknown])[],
): Promise<SavedTask> {
  // Small segments, so that there are several.
  const writer = new SegmentWriter({ maxBytes: 64 });
  for (const [kind, name, value] of entries)
    writer.put(kind, encodeKey(name), value === undefined ? new Uint8Array() : encodeValue(value));
  const bytes = new Map<string, Uint8Array>();
  const segments = [];
  for (const { raw, entries: count } of writer.finish()) {
    const sealed = await sealSegment(raw, { compression: 'none' });
    const name = `1-1-${bytes.size}`;
    bytes.set(name, sealed.bytes);
    segments.push({
      name,
      kind: 'full' as const,
      bytes: sealed.bytes.length,
      entries: count,
      checksum: sealed.checksum,
    });
  }
  const keys = entries.filter(([kind]) => kind === entryKinds.state).length;
  return {
    manifest: manifest({ task, actors: { a: { version: 3, keys, segments } } }),
    getSegment: name => bytes.get(name),
  };
}

/** What one task of a new spread gets of it. */
async function taken(
  tasks: readonly SavedTask[],
  index: number,
  count: number,
  owner = ownerOf(count),
): Promise<SavedTask> {
  const bytes = new Map<string, Uint8Array>();
  const actors = await spreadActors(tasks, {
    index,
    token: 1,
    id: 2,
    allowsDropped: false,
    ownerOf: () => ({ owner }),
    store: { putSegment: (_, name, segment) => void bytes.set(name, segment) },
  });
  return { manifest: manifest({ task: `${index}`, actors }), getSegment: name => bytes.get(name) };
}

const hash = (key: Key): number =>
  [...JSON.stringify(key, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))].reduce(
    (sum, letter) => sum * 31 + letter.charCodeAt(0),
    7,
  ) % 1_009;
const ownerOf = (count: number) => (key: Key) => hash(key) % count;

async function entriesOf(task: SavedTask): Promise<string[]> {
  const found: string[] = [];
  for await (const { kind, segment, key, value } of rawEntries(task, 'a')) {
    const name = decodeKey(segment, ...key);
    // Numbers of requests are those of the task.
    const shown = kind === entryKinds.request ? '' : `${typeof name} ${String(name)}`;
    const content = value[0] === value[1] ? undefined : decodeValue(segment, ...value);
    found.push(`${kind} ${shown} ${JSON.stringify(content, (_, one) => (typeof one === 'bigint' ? `${one}n` : one))}`);
  }
  return found.sort();
}

const key: fc.Arbitrary<Key> = fc.oneof(
  fc.string({ maxLength: 5 }),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.boolean(),
  fc.tuple(fc.string({ maxLength: 3 }), fc.integer()),
);
const keysOf = fc.uniqueArray(fc.record({ key, value: fc.nat(99), time: fc.nat(99) }), {
  selector: one => mapKey(one.key),
  maxLength: 20,
});

describe('state of a savepoint that is spread anew', () => {
  it('has every key in the task that has its records, with timers, entries and requests; split and merged it is the same', async () => {
    await fc.assert(
      fc.asyncProperty(keysOf, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), async (all, m, n) => {
        const one = await saved(
          'main',
          all.flatMap(({ key, value, time }, at) => {
            const own = mapKey(key);
            return [
              [entryKinds.state, own, { value }],
              [entryKinds.entry, nameOf('s', 'map', own, mapKey(value)), value],
              [entryKinds.event, timerName({ key: own, time }), undefined],
              [entryKinds.request, at, [value, own, time, time]],
            ] as const;
          }),
        );
        let tasks: SavedTask[] = [one];
        for (const count of [m, n]) {
          const next = await Promise.all(Array.from({ length: count }, (_, index) => taken(tasks, index, count)));
          for (const [index, task] of next.entries()) {
            const own = all.filter(of => ownerOf(count)(of.key) === index).length;
            expect(task.manifest.actors.a).toMatchObject({ version: 3, keys: own });
            expect(await entriesOf(task)).toHaveLength(4 * own);
          }
          tasks = next;
        }
        expect(await entriesOf(await taken(tasks, 0, 1))).toEqual(await entriesOf(one));
      }),
      { numRuns: 40 },
    );
  });

  it('numbers requests anew, those after earlier watermarks first, in the order of each task', async () => {
    const request = (id: number, what: string, key: string, after: number) =>
      [entryKinds.request, id, [what, key, 0, after]] as const;
    const tasks = [
      await saved('0', [request(9, 'a2', 'k', 5), request(4, 'a1', 'k', 5)]),
      await saved('1', [request(4, 'b1', 'l', Number.NEGATIVE_INFINITY), request(5, 'b2', 'l', 7)]),
    ];
    const merged = await taken(tasks, 0, 1);
    const found: [unknown, unknown][] = [];
    for await (const { segment, key, value } of rawEntries(merged, 'a')) {
      found.push([decodeKey(segment, ...key), (decodeValue(segment, ...value) as unknown[])[0]]);
    }
    expect(found).toEqual([
      [0, 'b1'],
      [1, 'a1'],
      [2, 'a2'],
      [3, 'b2'],
    ]);
  });

  it('is refused without a key, for keys that nobody can place, for one that two tasks have, and in two versions', async () => {
    const state = (task: string, name: Key | undefined, version = 3) =>
      saved(task, [[entryKinds.state, mapKey(name), 1]]).then(
        (one): SavedTask => ({
          ...one,
          manifest: {
            ...one.manifest,
            actors: { a: { ...(one.manifest.actors.a as Manifest['actors'][string]), version } },
          },
        }),
      );
    await expect(taken([await state('0', undefined)], 0, 2)).rejects.toThrow(/actor "a".*without a key/s);
    await expect(taken([await state('0', 'k')], 0, 2, () => undefined as never)).rejects.toThrow(/nothing says/);
    await expect(taken([await state('0', 'k'), await state('1', 'k')], 0, 1)).rejects.toThrow(
      /in task 0 and in task 1/,
    );
    await expect(taken([await state('0', 'k'), await state('1', 'l', 4)], 0, 1)).rejects.toThrow(/versions 3 and 4/);
  });
});
