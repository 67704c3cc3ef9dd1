import { describe, expect, it } from 'vitest';
import { wakeAt } from '../../../../../connectors/kafka/client/member/active.ts';
import type { MemberEvent, MemberState, Step } from '../../../../../connectors/kafka/client/member/state.ts';
import { step } from '../../../../../connectors/kafka/client/member/step.ts';
import {
  afterwards,
  answersOf,
  beatFailed,
  failed,
  happenings,
  heartbeat,
  joined,
  left,
  part,
  type Situation,
  sessionOf,
  settings,
  situations,
  summary,
  synced,
} from './situations.ts';
import { table } from './step-table.ts';

const names = Object.keys(situations) as Situation[];

describe('what comes of everything that may happen', () => {
  it.each(names)('%s', name => {
    const state: MemberState = situations[name];
    const asked = happenings(state.round, sessionOf(state)).filter(
      ([what]) => /^(close|told|given|tick)/.test(what) || answersOf(state).test(what),
    );
    const seen = asked.map(([what, event]) => [what, summary(step(state, event, 1_500, settings))]);
    expect(Object.fromEntries(seen)).toEqual(table[name]);
  });

  it.each(names)('%s: answers to what was asked before change nothing', name => {
    const state = situations[name];
    for (const [what, event] of happenings(state.round - 1, sessionOf(state) - 1)) {
      if (!('round' in event || 'session' in event)) continue;
      expect([what, step(state, event, 1_500, settings)]).toEqual([what, { state, effects: [] }]);
    }
  });

  it.each(names)('%s: looks at the clock again, unless there is nothing to wait for', name => {
    const state: MemberState = situations[name];
    const at = wakeAt(state, settings);
    if (state.is === 'lost' || state.is === 'left') expect(at).toBeUndefined();
    else expect(at).toBeLessThanOrEqual(1_000 + settings.rebalanceTimeoutMs + 5_000);
  });
});

const tick = { on: 'tick' } as const;
const { stable } = situations;
const session = sessionOf(stable);
const beat = (error: string, sentAt: number) => heartbeat(session, error, sentAt);
const gaveBack = (call: number): MemberEvent => ({ on: 'told revoked', call });

/** Goes on from a state through these events, each at its time. */
function through(
  from: MemberState,
  events: readonly (readonly [at: number, event: (of: MemberState) => MemberEvent])[],
): Step {
  let last: Step = { state: from, effects: [] };
  for (const [at, event] of events) last = step(last.state, event(last.state), at, settings);
  return last;
}
const isIn = (of: MemberState) => joined(of.round, 'NONE', { generation: 5 });
const gets =
  (tasks: readonly number[], more = {}) =>
  (of: MemberState) =>
    synced(of.round, 'NONE', part(tasks, more));
const rebalance = (of: MemberState) => heartbeat(sessionOf(of), 'REBALANCE_IN_PROGRESS', 1_500);

describe('a task that is given up', () => {
  const givenUp = (of: readonly number[]) => (): MemberEvent => ({ on: 'given up', tasks: of });
  const claims = ({ effects }: Step) => effects.flatMap(effect => (effect.do === 'join' ? [effect.claim.running] : []));

  it('is not claimed any more, at once, and starts again when the group assigns it anew', () => {
    const joining = through(stable, [[1_500, givenUp([1, 7])]]);
    expect(summary(joining)).toBe('joining 0; join');
    expect(claims(joining)).toEqual([[0]]);
    const back = through(joining.state, [
      [1_500, isIn],
      [1_600, gets([0, 1])],
    ]);
    expect(summary(back)).toBe('stable 0,1; tell assigned 1');
    expect(back.effects).toEqual([{ do: 'tell assigned', tasks: [1], generation: 5 }]);
  });

  it('does not come back with the answer to a request that still claimed it', () => {
    const outdated = through(stable, [
      [1_500, rebalance],
      [1_500, isIn],
      [1_550, givenUp([1])],
      [1_600, gets([0, 1])],
    ]);
    expect(summary(outdated)).toBe('joining 0; join');
    expect(claims(outdated)).toEqual([[0]]);
    const back = through(outdated.state, [
      [1_600, isIn],
      [1_700, gets([0, 1])],
    ]);
    expect(summary(back)).toBe('stable 0,1; tell assigned 1');
  });

  it('is dropped from the claim of a request that is still to be sent', () => {
    const pausing = through(stable, [
      [1_500, rebalance],
      [1_500, of => failed(of.round, 'join', true)],
      [1_550, givenUp([1])],
      [1_600, () => tick],
    ]);
    expect(claims(pausing)).toEqual([[0]]);
    const back = through(pausing.state, [
      [1_700, isIn],
      [1_700, gets([0, 1])],
    ]);
    expect(summary(back)).toBe('stable 0,1; tell assigned 1');
  });
});

describe('time', () => {
  it('sends heartbeats at their interval, and again elsewhere when one is not answered within it', () => {
    expect(wakeAt(stable, settings)).toBe(3_000);
    const first = step(stable, tick, 3_000, settings);
    expect(summary(first)).toBe('stable 0,1; heartbeat');
    expect(wakeAt(first.state, settings)).toBe(5_000);
    const second = step(first.state, tick, 5_000, settings);
    expect(summary(second)).toBe('stable 0,1; forget coordinator; heartbeat');
    const answered = step(second.state, beat('NONE', 5_000), 5_100, settings);
    expect(wakeAt(answered.state, settings)).toBe(7_000);
  });

  it('sends heartbeats while it joins, syncs, and gives back', () => {
    for (const name of [
      'joining, holding',
      'syncing, holding',
      'stable, giving back',
      'closing',
      'closing, joining',
    ] as const) {
      expect([name, step(situations[name], tick, 3_000, settings).effects[0]?.do]).toEqual([name, 'heartbeat']);
    }
  });

  it('hears soon of the next assignment where some tasks are nobody’s yet', () => {
    const partial = through(stable, [
      [1_500, rebalance],
      [1_500, isIn],
      [1_600, gets([0], { isPartial: true })],
    ]).state;
    expect(wakeAt(partial, settings)).toBe(1_800);
    const again = step(
      step(partial, tick, 1_800, settings).state,
      heartbeat(sessionOf(partial), 'NONE', 1_800),
      1_850,
      settings,
    );
    expect(wakeAt(again.state, settings)).toBe(2_000);
  });

  it('sends a failed heartbeat again soon, a little later each time', () => {
    const once = step(stable, beatFailed(session, true), 3_000, settings);
    expect(wakeAt(once.state, settings)).toBe(3_100);
    const twice = step(once.state, beatFailed(session, true), 3_100, settings);
    expect(wakeAt(twice.state, settings)).toBe(3_300);
  });

  /** Whether it still holds something then. */
  const isLost = (state: MemberState, at: number) => summary(step(state, tick, at, settings)).includes('tell lost');

  it('counts the session from when the last answered heartbeat was sent, not from its answer', () => {
    const alive = step(stable, beat('NONE', 4_000), 8_000, settings).state;
    expect([isLost(alive, 12_999), isLost(alive, 13_000)]).toEqual([false, true]);
    const older = step(alive, beat('NONE', 2_000), 8_100, settings).state;
    expect(isLost(older, 12_999)).toBe(false);
  });

  it.each(happenings(stable.round, session))('past the session it is lost before anything else: %s', (_, event) => {
    for (const name of ['stable', 'joining, holding', 'syncing, holding', 'stable, giving back', 'closing'] as const) {
      const { effects } = step(situations[name], event, 10_000, settings);
      expect(effects[0]).toMatchObject({ do: 'tell lost', loss: { why: 'SESSION_EXPIRED', isFinal: false } });
      expect(effects.filter(effect => effect.do === 'tell lost')).toHaveLength(1);
    }
  });

  it('one that holds nothing only waits for its answer, however long that takes', () => {
    expect(summary(step(situations.syncing, tick, 15_000, settings))).toBe('syncing; heartbeat');
    const empty = afterwards([round => joined(round, 'NONE'), round => synced(round, 'NONE', part([]))]).state;
    expect(summary(step(empty, tick, 10_000, settings))).toBe('joining');
  });

  it('takes nothing that was assigned so long ago that it may be another’s by now', () => {
    const { syncing } = situations;
    expect(summary(step(syncing, synced(syncing.round, 'NONE'), 9_999, settings))).toBe(
      'stable 0,1; tell assigned 0,1',
    );
    expect(summary(step(syncing, synced(syncing.round, 'NONE'), 10_000, settings))).toBe('joining');
    const alive = step(syncing, heartbeat(sessionOf(syncing), 'NONE', 4_000), 4_100, settings).state;
    expect(summary(step(alive, synced(syncing.round, 'NONE'), 12_999, settings))).toBe('stable 0,1; tell assigned 0,1');
  });

  it('holds on while it cannot join as long as the group waits, counted from before the group began to', () => {
    let { state } = step(stable, beat('NONE', 4_000), 4_100, settings);
    state = step(state, beat('REBALANCE_IN_PROGRESS', 6_000), 6_100, settings).state;
    for (let at = 8_000; at < 34_000; at += 2_000)
      state = step(state, beat('REBALANCE_IN_PROGRESS', at), at, settings).state;
    expect([isLost(state, 33_999), isLost(state, 34_000)]).toEqual([false, true]);
  });

  it('begins to count anew when it was taken in, from when the group last said that it still gathered', () => {
    let { state } = through(stable, [
      [1_500, rebalance],
      [6_000, of => heartbeat(sessionOf(of), 'REBALANCE_IN_PROGRESS', 6_000)],
      [12_000, isIn],
    ]);
    for (let at = 13_000; at < 36_000; at += 2_000) {
      state = step(state, heartbeat(sessionOf(state), 'REBALANCE_IN_PROGRESS', at), at, settings).state;
      if (state.is === 'syncing' && at >= state.until) state = step(state, tick, at, settings).state;
    }
    expect([isLost(state, 35_999), isLost(state, 36_000)]).toEqual([false, true]);
  });

  it('gives away what does not end in time; nobody here runs it before it has', () => {
    const giving = situations['stable, giving back'];
    let { state } = { state: giving as MemberState };
    for (let at = 3_000; at < 31_000; at += 2_000)
      state = step(state, heartbeat(sessionOf(giving), 'NONE', at), at, settings).state;
    state = step(state, tick, 31_000, settings).state;
    const released = step(state, tick, 31_000, settings);
    expect(released.effects).toMatchObject([{ do: 'join', claim: { running: [0], ending: [] } }]);
    const back = through(released.state, [
      [31_100, isIn],
      [31_200, gets([0, 1])],
    ]);
    expect(summary(back)).toBe('stable 0 (1) then 1');
    const joining = step(
      back.state,
      heartbeat(sessionOf(back.state), 'REBALANCE_IN_PROGRESS', 31_300),
      31_300,
      settings,
    );
    expect(joining.effects).toMatchObject([{ do: 'join', claim: { running: [0, 1], ending: [] } }]);
    expect(summary(step(back.state, gaveBack(1), 31_400, settings))).toBe('stable 0,1; tell assigned 1');
    expect(summary(step(back.state, { on: 'close' }, 31_400, settings))).toBe(
      'joining to leave (1,0); tell revoked 0; join',
    );
  });

  it('leaves when what it gives back does not end in time', () => {
    let state: MemberState = situations.closing;
    const session = sessionOf(state);
    for (let at = 3_000; at < 31_000; at += 2_000)
      state = step(state, heartbeat(session, 'NONE', at), at, settings).state;
    state = step(state, tick, 31_000, settings).state;
    expect(summary(step(state, tick, 31_000, settings))).toBe('leaving; leave');
  });

  it('gives up an answer that is overdue, and asks again after a pause', () => {
    const joining = situations['joining, asked with its id'];
    expect(wakeAt(joining, settings)).toBe(36_000);
    const given = step(joining, tick, 36_000, settings);
    expect(summary(given)).toBe('joining; forget coordinator');
    expect(summary(step(given.state, tick, 36_100, settings))).toBe('joining; join');
    expect(step(given.state, joined(joining.round, 'NONE'), 36_050, settings).state).toBe(given.state);
    const { state } = step(situations.syncing, tick, 15_000, settings);
    expect(summary(step(state, tick, 15_000, settings))).toBe('joining; forget coordinator');
  });

  it('does not join for ever', () => {
    let state: MemberState = situations['joining, asked with its id'];
    let now = 1_000;
    for (let failures = 0; state.is === 'joining' && failures < 1_000; failures++) {
      state = step(state, joined(state.round, 'COORDINATOR_LOAD_IN_PROGRESS'), now, settings).state;
      now = wakeAt(state, settings) ?? now;
      state = step(state, tick, now, settings).state;
    }
    const error = { code: 'KAFKA_CONNECTION' };
    expect(state).toMatchObject({ is: 'lost', loss: { why: 'FAILED', isFinal: true, error } });
    expect(now).toBeGreaterThanOrEqual(301_000);
    expect(now).toBeLessThan(320_000);
  });

  it('ends leaving when the group does not answer', () => {
    const { leaving } = situations;
    expect(summary(step(leaving, tick, 6_000, settings))).toBe('left; end');
    const refused = step(leaving, left(leaving.round, 'NOT_COORDINATOR'), 1_500, settings);
    expect(summary(step(refused.state, tick, 1_600, settings))).toBe('leaving; leave');
    expect(summary(step(situations['leaving, its id unknown'], tick, 6_000, settings))).toBe('left; end');
  });
});

describe('what goes on while the group assigns', () => {
  it('keeps what stays its own without a word, and hears only of what changes', () => {
    const back = through(stable, [
      [1_500, rebalance],
      [1_500, isIn],
      [1_600, gets([1, 2], { comesAgain: true })],
    ]);
    expect(summary(back)).toBe('stable 1,2 (0); tell revoked 0; tell assigned 2');
    expect(back.effects).toMatchObject([{ call: 1, withinMs: 30_000 }, { generation: 5 }]);
    const same = through(stable, [
      [1_500, rebalance],
      [1_500, isIn],
      [1_600, gets([0, 1])],
    ]);
    expect(summary(same)).toBe('stable 0,1');
  });

  it('joins again when it has given back, and where the group counted on that', () => {
    const given = step(situations['stable, giving back'], gaveBack(1), 1_500, settings);
    expect(given.effects).toMatchObject([{ do: 'join', claim: { generation: 4, running: [0], ending: [] } }]);
    const restarted = afterwards([
      round => joined(round, 'NONE'),
      round => synced(round, 'NONE', part([0], { comesAgain: true })),
    ]);
    expect(summary(restarted)).toBe('joining 0; tell assigned 0; join');
  });

  it('joins once more when something was given back that the group still took for its own', () => {
    const twice = through(situations['joining, giving back'], [
      [1_500, isIn],
      [1_500, gets([], { comesAgain: true })],
    ]).state;
    expect(summary({ state: twice, effects: [] })).toBe('stable (1,0)');
    const one = through(twice, [
      [1_600, of => heartbeat(sessionOf(of), 'REBALANCE_IN_PROGRESS', 1_600)],
      [1_600, () => gaveBack(1)],
      [1_700, isIn],
    ]);
    const after = step(one.state, gets([], { comesAgain: true })(one.state), 1_800, settings);
    expect(summary(after)).toBe('joining (0); join');
  });

  it('is the leader of a group by sending everybody’s part', () => {
    const members = ['me', 'other'].map(memberId => ({ memberId, instanceId: undefined, metadata: Buffer.alloc(0) }));
    const asked = situations['joining, asked with its id'];
    const { effects } = step(asked, joined(asked.round, 'NONE', { leaderId: 'me', members }), 1_500, settings);
    expect(effects).toEqual([
      { do: 'sync', round: asked.round + 1, memberId: 'me', generation: 4, assignments: settings.assign(members) },
    ]);
  });

  it('starts nothing that is assigned to it while it closes', () => {
    const closing = situations['closing, syncing'];
    expect(summary(step(closing, synced(closing.round, 'NONE', part([0, 1, 2])), 1_500, settings))).toBe(
      'stable to leave (0,1)',
    );
  });
});

describe('what a member tells', () => {
  it('claims what it holds, what it gives back, and nothing that it lost', () => {
    const claims = (name: Situation, event: MemberEvent) =>
      step(situations[name], event, 1_500, settings).effects.at(-1);
    expect(claims('stable', beat('REBALANCE_IN_PROGRESS', 1_400))).toMatchObject({
      ...{ do: 'join', memberId: 'me' },
      claim: { generation: 4, running: [0, 1], ending: [], isLeaving: false },
    });
    const giving = sessionOf(situations['stable, giving back']);
    expect(claims('stable, giving back', heartbeat(giving, 'REBALANCE_IN_PROGRESS', 1_400))).toMatchObject({
      claim: { running: [0], ending: [1] },
    });
    const closing = sessionOf(situations.closing);
    expect(claims('closing', heartbeat(closing, 'REBALANCE_IN_PROGRESS', 1_400))).toMatchObject({
      claim: { running: [], ending: [0, 1], isLeaving: true },
    });
    expect(claims('lost, to join', { on: 'told lost' })).toMatchObject({
      ...{ do: 'join', memberId: 'me' },
      claim: { generation: -1, running: [], ending: [] },
    });
  });

  it('keeps its claim through failures, until the group has forgotten it', () => {
    const asked = through(situations['joining, holding'], [
      [1_500, of => joined(of.round, 'NOT_COORDINATOR')],
      [1_600, () => tick],
    ]);
    expect(asked.effects).toMatchObject([{ do: 'join', claim: { generation: 4, running: [0, 1] } }]);
    const forgotten = step(asked.state, joined(asked.state.round, 'UNKNOWN_MEMBER_ID'), 1_700, settings);
    expect(summary(forgotten)).toBe('lost UNKNOWN_MEMBER_ID; tell lost');
    const again = step(forgotten.state, { on: 'told lost' }, 1_800, settings);
    expect(again.effects).toMatchObject([{ do: 'join', memberId: '', claim: { running: [] } }]);
  });

  it('joins again only when both what it gave back and the loss are dealt with', () => {
    const giving = situations['stable, giving back'];
    const lost = step(giving, heartbeat(sessionOf(giving), 'UNKNOWN_MEMBER_ID'), 1_500, settings).state;
    const one = step(lost, { on: 'told lost' }, 1_600, settings);
    expect(summary(one)).toBe('lost UNKNOWN_MEMBER_ID');
    expect(summary(step(one.state, gaveBack(1), 1_700, settings))).toBe('joining anew; join');
  });

  it('an instance goes without a word, so that it finds its place when it is back', () => {
    const static_ = { ...settings, instanceId: 'i', leavesOnClose: false };
    const { state } = afterwards(
      [round => joined(round, 'NONE'), round => synced(round, 'NONE'), () => ({ on: 'close' })],
      1_000,
      static_,
    );
    expect(summary(step(state, gaveBack(1), 1_500, static_))).toBe('left; end');
  });

  it('one that can never be a member says why, once', () => {
    const refused = afterwards([round => failed(round, 'join', false)]);
    expect(refused.effects).toMatchObject([
      { do: 'tell lost', loss: { isFinal: true, error: { code: 'KAFKA_SECURITY' } } },
    ]);
  });
});
