import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { TaskRef, TaskStore } from '../../lib/checkpoint/snapshot-store.ts';
import type { TidemarkError } from '../../lib/errors.ts';
import type { StoreUnderTest } from './snapshot-store.fixture.ts';
import { briefly, bytesOf, manifestOf } from './snapshot-store.manifests.ts';

// A reference written from the port's words alone, as plainly as it goes, and random sequences to compare a store with.

const ref: TaskRef = { job: 'model', task: '0' };

type Outcome = 'done' | 'FENCED' | 'INTERNAL' | 'STATE_LOST';

interface ModelManifest {
  readonly id: number;
  readonly token: number;
  readonly segments: readonly string[];
  confirmed: boolean;
}

class Model {
  fence = 0;
  manifests: ModelManifest[] = [];
  segments = new Set<string>();
  /** Named by manifests that are gone; they go with the next collection. */
  released = new Set<string>();

  acquire(above: number): number {
    this.fence = Math.max(this.fence, above) + 1;
    return this.fence;
  }

  put(token: number, name: string): Outcome {
    return this.#under(token, () => {
      if (this.segments.has(name)) return 'INTERNAL';
      this.segments.add(name);
      return 'done';
    });
  }

  prepare(token: number, id: number, segments: readonly string[]): Outcome {
    return this.#under(token, () => {
      const before = this.manifests.find(m => m.id === id && m.token === token);
      if (!before?.confirmed && id <= this.#newest()) return 'INTERNAL';
      if (before) return `${before.segments}` === `${segments}` ? 'done' : 'INTERNAL';
      this.manifests.push({ id, token, segments, confirmed: false });
      return 'done';
    });
  }

  confirm(token: number, id: number, preparedBy: number): Outcome {
    return this.#under(token, () => {
      const manifest = this.manifests.find(m => m.id === id && m.token === preparedBy);
      if (manifest?.confirmed) return 'done';
      if (!manifest || id <= this.#newest()) return 'INTERNAL';
      manifest.confirmed = true;
      this.#drop(m => !m.confirmed && (m.id <= id || m.token < preparedBy));
      return 'done';
    });
  }

  collect(token: number, ids: readonly number[]): Outcome {
    return this.#under(token, () => {
      if (ids.some(id => id >= this.#newest())) return 'INTERNAL';
      this.#drop(m => m.confirmed && ids.includes(m.id));
      const named = new Set(this.manifests.flatMap(m => m.segments));
      for (const name of this.segments) {
        if (named.has(name)) continue;
        if (this.released.has(name) || Number(name.split('-')[1]) < token) this.segments.delete(name);
      }
      return 'done';
    });
  }

  clear(token: number): Outcome {
    return this.#under(token, () => {
      this.manifests = [];
      this.segments.clear();
      return 'done';
    });
  }

  shown(): string[] {
    return this.manifests
      .toSorted((a, b) => a.id - b.id || a.token - b.token)
      .map(m => `${m.id}-${m.token}${m.confirmed ? '' : '?'}`);
  }

  #under(token: number, work: () => Outcome): Outcome {
    if (token < this.fence) return 'FENCED';
    return token > this.fence ? 'STATE_LOST' : work();
  }

  #newest(): number {
    return Math.max(0, ...this.manifests.filter(m => m.confirmed).map(m => m.id));
  }

  #drop(which: (manifest: ModelManifest) => boolean): void {
    for (const manifest of this.manifests.filter(which)) for (const name of manifest.segments) this.released.add(name);
    this.manifests = this.manifests.filter(manifest => !which(manifest));
  }
}

/** Three incarnations do these things, each through a store of its own. */
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('acquire' as const), by: fc.nat(2), above: fc.nat(4) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), by: fc.nat(2), random: fc.nat(2) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('prepare' as const),
      by: fc.nat(2),
      rise: fc.integer({ min: -1, max: 3 }),
      which: fc.nat(15),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('confirm' as const),
      by: fc.nat(2),
      back: fc.nat(2),
      // A commit point outside the store may name what an older incarnation prepared.
      older: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(2)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('collect' as const), by: fc.nat(2), back: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), by: fc.nat(2) }) },
);

/** The store does exactly what the model does, step by step. */
export async function agreesWithTheModel(
  create: () => Promise<StoreUnderTest> | StoreUnderTest,
  runs: number,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 40, size: 'max' }), async steps => {
      const underTest = await create();
      try {
        await compare(underTest, steps);
      } finally {
        await underTest.dispose();
      }
    }),
    { numRuns: runs },
  );
}

async function compare(
  underTest: StoreUnderTest,
  steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[],
) {
  const model = new Model();
  const tasks = [0, 1, 2].map(() => underTest.open().task(ref));
  const tokens = [0, 0, 0];
  const everWritten = new Set<string>();
  let lastId = 1;
  for (const [i, next] of steps.entries()) {
    const task = tasks[next.by] as TaskStore;
    const token = tokens[next.by] as number;
    const where = `step ${i}: ${JSON.stringify(next)} under token ${token}`;
    if (next.do === 'acquire') {
      tokens[next.by] = await task.acquireFence(next.above);
      expect(tokens[next.by], where).toBe(model.acquire(next.above));
    } else if (token > 0) {
      const [expected, actual] = await apply(next, token, task);
      expect(actual, where).toBe(expected);
    }
    const reader = tasks[(next.by + 1) % 3] as TaskStore;
    expect(briefly(await reader.manifests()), where).toEqual(model.shown());
    for (const name of everWritten) {
      const isThere = (await reader.getSegment(name)) !== undefined;
      expect(isThere, `${where}: segment ${name}`).toBe(model.segments.has(name));
    }
  }

  async function apply(
    next: Exclude<(typeof steps)[number], { do: 'acquire' }>,
    token: number,
    task: TaskStore,
  ): Promise<[Outcome, Outcome]> {
    switch (next.do) {
      case 'put': {
        const name = `${lastId}-${token}-${next.random}`;
        everWritten.add(name);
        return [model.put(token, name), await outcome(() => task.putSegment(token, name, bytesOf(name)))];
      }
      case 'prepare': {
        const id = Math.max(1, lastId + next.rise);
        lastId = Math.max(lastId, id);
        const segments = [...model.segments].filter((_, i) => (next.which >> (i % 4)) & 1);
        const manifest = manifestOf(ref, token, id, segments);
        return [model.prepare(token, id, segments), await outcome(() => task.prepare(token, manifest))];
      }
      case 'confirm': {
        const id = Math.max(1, lastId - next.back);
        const preparedBy = Math.max(1, token - next.older);
        return [model.confirm(token, id, preparedBy), await outcome(() => task.confirm(token, id, preparedBy))];
      }
      case 'collect': {
        const ids = [lastId - next.back - 1, lastId - next.back - 2].filter(id => id > 0);
        return [model.collect(token, ids), await outcome(() => task.collect(token, ids))];
      }
      case 'clear':
        return [model.clear(token), await outcome(() => task.clear(token))];
    }
  }
}

async function outcome(work: () => unknown): Promise<Outcome> {
  try {
    await work();
    return 'done';
  } catch (error) {
    const { code } = error as TidemarkError;
    if (code === 'FENCED' || code === 'INTERNAL' || code === 'STATE_LOST') return code;
    throw error;
  }
}
