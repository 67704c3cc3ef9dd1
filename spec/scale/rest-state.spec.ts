import { describe, expect, it } from 'vitest';
import type { Manifest, RestEntry } from '../../lib/checkpoint/manifest.ts';
import { underWay } from '../../lib/scale/channel-state.ts';
import { type RestSeen, RestState, restStep } from '../../lib/scale/rest-state.ts';

const request = { format: 1, name: 'a', end: 'go-on', createdAt: 10, expiresAt: 20 } as const;
const entry = (over: Partial<RestEntry> = {}): RestEntry => ({
  name: 'a',
  createdAt: 10,
  expiresAt: 20,
  end: 'go-on',
  phase: 'going',
  ...over,
});

describe('how far a task has come to rest', () => {
  it('goes from its way to being there, and is over when it goes on', () => {
    const state = new RestState();
    expect(state.entry).toBeUndefined();
    expect(state.take(request)).toBe('begin');
    expect(state.entry).toEqual(entry());
    expect([state.isOf('a@10'), state.isOf('a@11')]).toEqual([true, false]);
    state.arrived();
    expect(state.current).toEqual(entry({ phase: 'there' }));
    state.over();
    expect(state.entry).toEqual(entry({ phase: 'over' }));
    expect([state.current, state.isOf('a@10')]).toEqual([undefined, false]);
    state.arrived();
    expect(state.entry).toEqual(entry({ phase: 'over' }));
  });

  it('knows its own request again, also when it was restored, and refuses another meanwhile', () => {
    for (const phase of ['going', 'there'] as const) {
      const state = new RestState(entry({ phase }));
      expect(state.take(request)).toBe('known');
      expect(state.take({ ...request, name: 'b' })).toEqual({ refuse: expect.stringContaining('"a"') });
      expect(state.take({ ...request, createdAt: 11 })).toHaveProperty('refuse');
    }
  });

  it('never begins again what it has given up, nor what was asked for before that', () => {
    const state = new RestState(entry({ phase: 'over' }));
    expect(state.take(request)).toHaveProperty('refuse');
    expect(state.take({ ...request, name: 'b', createdAt: 9 })).toHaveProperty('refuse');
    expect(state.take({ ...request, createdAt: 11, end: 'stop' })).toBe('begin');
    expect(state.entry).toMatchObject({ createdAt: 11, end: 'stop', phase: 'going' });
  });
});

describe('a task that rests', () => {
  const flags = [false, true];
  const seen = (over: Partial<RestSeen> = {}): RestSeen => ({
    isAsked: true,
    isRefused: false,
    areAllThere: false,
    now: 15,
    ...over,
  });

  it('is done when all are there, whatever else the store says, and only once it is there itself', () => {
    for (const isAsked of flags) {
      for (const isRefused of flags) {
        for (const now of [15, 25]) {
          const all = { isAsked, isRefused, areAllThere: true, now };
          expect(restStep(entry({ phase: 'there' }), all)).toBe('done');
          expect(restStep(entry(), all)).toEqual(restStep(entry(), { ...all, areAllThere: false }));
        }
      }
    }
  });

  it('waits while it is asked for, and gives up when it is refused, nobody waits, or the time is over', () => {
    for (const phase of ['going', 'there'] as const) {
      expect(restStep(entry({ phase }), seen())).toBe('wait');
      expect(restStep(entry({ phase }), seen({ now: 20 }))).toBe('wait');
      expect(restStep(entry({ phase }), seen({ now: 21 }))).toHaveProperty('giveUp');
      expect(restStep(entry({ phase }), seen({ isRefused: true }))).toHaveProperty('giveUp');
      expect(restStep(entry({ phase }), seen({ isAsked: false }))).toHaveProperty('giveUp');
    }
  });
});

describe('the manifests of tasks with channels', () => {
  const manifest = (over: Partial<Manifest> = {}) =>
    ({
      tasks: { index: 0, count: 2, partitions: {} },
      sources: { 'repartition:x': { position: null, finished: false, watermark: null } },
      jobFinished: false,
      ...over,
    }) as Manifest;
  const there = (over: Partial<RestEntry> = {}) => manifest({ rest: entry({ phase: 'there', ...over }) });

  it('go together where all rest for the same, or have finished', () => {
    expect(underWay([there(), there()])).toBeUndefined();
    expect(underWay([there(), manifest({ jobFinished: true })])).toBeUndefined();
    expect(underWay([manifest({ jobFinished: true }), manifest({ jobFinished: true })])).toBeUndefined();
    expect(underWay([manifest({ sources: {} }), manifest({ sources: {} })])).toBeUndefined();
    expect(underWay([manifest({ tasks: { index: 0, count: 1, partitions: {} } })])).toBeUndefined();
  });

  it('do not where one was on its way, had gone on, or rested for another', () => {
    expect(underWay([there(), manifest()])).toMatch(/repartition/);
    expect(underWay([there(), there({ phase: 'going' })])).toMatch(/repartition/);
    expect(underWay([there(), there({ phase: 'over' })])).toMatch(/repartition/);
    expect(underWay([there(), there({ createdAt: 11 })])).toMatch(/repartition/);
    expect(underWay([there(), there({ name: 'b' })])).toMatch(/repartition/);
  });
});
