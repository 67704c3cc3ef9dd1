import { beforeEach, describe, expect, it } from 'vitest';
import type { RestEntry } from '../../lib/checkpoint/manifest.ts';
import {
  type NotesRead,
  readNotes,
  requestNotes,
  type SavepointRequest,
} from '../../lib/checkpoint/savepoint-notes.ts';
import { memoryStore, type TaskStore } from '../../lib/index.ts';
import { TaskRest } from '../../lib/task/task-rest.ts';
import { quiet } from '../job/quiet.ts';

const createdAt = Date.now();
const request: SavepointRequest = {
  format: 1,
  name: 'a',
  end: 'go-on',
  createdAt,
  expiresAt: createdAt + 3_600_000,
};
const id = `a@${createdAt}`;
const restored = (phase: RestEntry['phase'], over: Partial<RestEntry> = {}): RestEntry => {
  const { format, ...entry } = request;
  return { ...entry, end: 'go-on', phase, ...over };
};

let store: TaskStore;
let said: string[];
let areAllThere: boolean;
let taken: (() => void) | undefined;
beforeEach(() => {
  store = memoryStore().task({ job: 'j', task: '0' });
  said = [];
  areAllThere = false;
  taken = undefined;
});

/** A task with two ends, which says what it is told. */
function resting(entry?: RestEntry, { isRestart = false } = {}): TaskRest {
  return new TaskRest(
    {
      store,
      logger: quiet,
      ends: 2,
      isRestart,
      areAllThere: () => areAllThere,
      rest: rest => void said.push(`rest ${rest}`),
      takeSavepoint: ({ name, phase }, done) => {
        said.push(`savepoint ${name} ${phase}`);
        taken = done;
      },
      end: how => void said.push(how),
    },
    entry,
  );
}

const begun = (entry?: RestEntry, options?: { isRestart: boolean }): TaskRest => {
  const rest = resting(entry, options);
  rest.begin(({ rests, resumes }) => void said.push(`enter${rests ? ' rests' : ''}${resumes ? ' resumes' : ''}`));
  return rest;
};
const notes = (of: readonly SavepointRequest[] = [request], refused: readonly string[] = []): NotesRead => ({
  requests: of,
  accepted: new Set(),
  refused: new Map(refused.map(name => [name, 'no'])),
  kept: new Map(),
  released: new Set(),
});
const ask = (of: SavepointRequest = request) => store.putNote(requestNotes(of.name).request, JSON.stringify(of));
const refusal = async () => readNotes(await store.notes()).refused.get('a');

describe('a task that is asked for a savepoint', () => {
  it('rests, takes it once the mark came out at every end, and begins anew when all tasks are there', async () => {
    await ask();
    const rest = begun();
    expect(rest.take(request)).toBeUndefined();
    expect([rest.current, rest.goingTo]).toEqual([id, 'a']);
    rest.arrived(id);
    rest.arrived('other@1');
    await rest.looked(notes());
    expect(said).toEqual(['enter', `rest ${id}`]);
    rest.arrived(id);
    expect(said.slice(2)).toEqual(['savepoint a there']);
    expect(rest.entry).toEqual(restored('there'));
    expect([rest.current, rest.goingTo]).toEqual([id, undefined]);
    taken?.();
    await rest.looked(notes());
    expect(said).toHaveLength(3);
    areAllThere = true;
    await rest.looked(notes());
    await rest.looked(notes());
    expect(said.slice(3)).toEqual(['again']);
  });

  it('stops when all are there, where that was asked for', async () => {
    const stop = { ...request, end: 'stop' } as const;
    await ask(stop);
    const rest = begun();
    rest.take(stop);
    rest.arrived(id);
    rest.arrived(id);
    areAllThere = true;
    taken?.();
    expect(said.at(-1)).toBe('stopped');
  });

  it('refuses another meanwhile', () => {
    const rest = begun();
    rest.take(request);
    expect(rest.take(request)).toBeUndefined();
    expect(rest.take({ ...request, name: 'b', createdAt: createdAt + 1 })).toMatch(/"a" is being taken/);
    expect(said).toEqual(['enter', `rest ${id}`]);
  });

  it('gives up on its way, and there, when nobody waits, it was refused, or the time is over', async () => {
    const late = { ...request, expiresAt: createdAt - 1 };
    const reasons: [NotesRead, SavepointRequest, boolean][] = [
      [notes([]), request, false],
      [notes([{ ...request, createdAt: createdAt + 1 }]), request, false],
      [notes([request], ['a']), request, false],
      [notes([late]), late, true],
    ];
    for (const isThere of [false, true]) {
      for (const [seen, of, isTold] of reasons) {
        said = [];
        const rest = begun();
        rest.take(of);
        if (isThere) for (let end = 0; end < 2; end++) rest.arrived(id);
        await rest.looked(seen);
        expect(said.at(-1)).toBe('again');
        expect(await refusal(), JSON.stringify(of)).toEqual(isTold ? expect.stringMatching(/in time/) : undefined);
        await store.removeNote(requestNotes('a').refused);
      }
    }
  });

  it('begins anew at once where another goes on before, and refuses it while it is on its way', async () => {
    for (const isThere of [false, true]) {
      said = [];
      const rest = begun();
      rest.take(request);
      if (isThere) for (let end = 0; end < 2; end++) rest.arrived(id);
      rest.resumed(2, 'other@1');
      expect(said.at(-1)).not.toBe('again');
      rest.resumed(2, id);
      expect(said.at(-1)).toBe('again');
      expect(await refusal()).toEqual(isThere ? undefined : expect.stringMatching(/task 2 goes on/));
      areAllThere = true;
      await rest.looked(notes());
      expect(said.filter(what => what === 'again')).toHaveLength(1);
      areAllThere = false;
      await store.removeNote(requestNotes('a').refused);
    }
  });

  it('does nothing about those that go on once it has done so', () => {
    const rest = begun(restored('over'));
    rest.resumed(1, id);
    expect(said).toEqual(['enter']);
    expect(rest.take(request)).toMatch(/given it up/);
  });
});

describe('a restored task', () => {
  it('goes on resting while the savepoint is asked for', async () => {
    await ask();
    begun(restored('going'));
    await expect.poll(() => said).toEqual(['enter rests']);
  });

  it('lets nothing in while it is there and others are not, and goes on when they are', async () => {
    await ask();
    const rest = begun(restored('there'));
    await rest.looked(notes());
    expect(said).toEqual([]);
    areAllThere = true;
    await rest.looked(notes());
    expect(said).toEqual(['enter resumes']);
    expect(rest.entry?.phase).toBe('over');
  });

  it('says that it goes on where nobody waits for it', async () => {
    for (const phase of ['going', 'there'] as const) {
      said = [];
      const rest = begun(restored(phase));
      await expect.poll(() => said).toEqual(['enter resumes']);
      expect(rest.entry).toEqual(restored('over'));
    }
  });

  it('goes on where a person starts a job that was stopped, but stops where its own process begins it anew', async () => {
    areAllThere = true;
    for (const [isRestart, end] of [
      [false, 'enter resumes'],
      [true, 'stopped'],
    ] as const) {
      said = [];
      begun(restored('there', { end: 'stop' }), { isRestart });
      await expect.poll(() => said).toEqual([end]);
    }
  });

  it('stops with the others where they come there later', async () => {
    await ask({ ...request, end: 'stop' });
    const rest = begun(restored('there', { end: 'stop' }));
    await rest.looked(notes());
    areAllThere = true;
    await rest.looked(notes());
    expect(said).toEqual(['stopped']);
  });

  it('waits for a store that does not answer', async () => {
    const { notes: answer } = store;
    store.notes = () => Promise.reject(new Error('planned'));
    const rest = begun(restored('there'));
    areAllThere = true;
    await new Promise(resolve => setImmediate(resolve));
    expect(said).toEqual([]);
    store.notes = answer;
    await rest.looked(notes());
    expect(said).toEqual(['enter resumes']);
  });
});
