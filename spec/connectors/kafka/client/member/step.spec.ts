import { describe, expect, it } from 'vitest';
import { wakeAt } from '../../../../../connectors/kafka/client/member/state.ts';
import { heldAt, step } from '../../../../../connectors/kafka/client/member/step.ts';
import {
  after,
  asks,
  failed,
  happenings,
  heartbeat,
  isHolding,
  joined,
  left,
  partitions,
  type Situation,
  settings,
  situations,
  summary,
  synced,
} from './situations.ts';

/** What comes of what: the state afterwards, then what is to be done. */
const table: Record<Situation, Record<string, string>> = {
  'joining, asked for the first time': {
    close: 'leaving',
    rejoin: 'joining anew',
    'told revoked': 'joining anew',
    'told lost': 'joining anew',
    tick: 'joining anew',
    'joined NONE': 'syncing; sync',
    'joined REBALANCE_IN_PROGRESS': 'joining anew',
    'joined MEMBER_ID_REQUIRED': 'joining; join',
    'joined UNKNOWN_MEMBER_ID': 'joining anew',
    'joined ILLEGAL_GENERATION': 'joining anew',
    'joined FENCED_INSTANCE_ID': 'lost for good (FENCED_INSTANCE_ID); tell lost',
    'joined NOT_COORDINATOR': 'joining anew; forget coordinator',
    'joined COORDINATOR_LOAD_IN_PROGRESS': 'joining anew',
    'joined GROUP_AUTHORIZATION_FAILED': 'lost for good (FAILED); tell lost',
    'joined UNKNOWN_999': 'lost for good (FAILED); tell lost',
    'failed join': 'joining anew; forget coordinator',
    'failed join for good': 'lost for good (FAILED); tell lost',
  },
  'joining, asked with its id': {
    close: 'leaving; leave',
    rejoin: 'joining',
    'told revoked': 'joining',
    'told lost': 'joining',
    tick: 'joining',
    'joined NONE': 'syncing; sync',
    'joined REBALANCE_IN_PROGRESS': 'joining',
    'joined MEMBER_ID_REQUIRED': 'joining anew',
    'joined UNKNOWN_MEMBER_ID': 'joining anew',
    'joined ILLEGAL_GENERATION': 'joining',
    'joined FENCED_INSTANCE_ID': 'lost for good (FENCED_INSTANCE_ID); tell lost',
    'joined NOT_COORDINATOR': 'joining; forget coordinator',
    'joined COORDINATOR_LOAD_IN_PROGRESS': 'joining',
    'joined GROUP_AUTHORIZATION_FAILED': 'lost for good (FAILED); tell lost',
    'joined UNKNOWN_999': 'lost for good (FAILED); tell lost',
    'failed join': 'joining; forget coordinator',
    'failed join for good': 'lost for good (FAILED); tell lost',
  },
  'joining, pausing': {
    close: 'left; end',
    rejoin: 'joining anew',
    'told revoked': 'joining anew',
    'told lost': 'joining anew',
    tick: 'joining anew; join',
  },
  'syncing, assigning': {
    close: 'leaving; leave',
    rejoin: 'syncing',
    'told revoked': 'syncing',
    'told lost': 'syncing',
    tick: 'syncing',
    assigned: 'syncing; sync',
    'failed assign': 'joining',
    'failed assign for good': 'lost for good (FAILED); tell lost',
  },
  'syncing, asked': {
    close: 'leaving; leave',
    rejoin: 'syncing',
    'told revoked': 'syncing',
    'told lost': 'syncing',
    tick: 'syncing',
    'synced NONE': 'stable; tell assigned',
    'synced REBALANCE_IN_PROGRESS': 'joining; join',
    'synced MEMBER_ID_REQUIRED': 'joining',
    'synced UNKNOWN_MEMBER_ID': 'joining anew',
    'synced ILLEGAL_GENERATION': 'joining',
    'synced FENCED_INSTANCE_ID': 'lost for good (FENCED_INSTANCE_ID); tell lost',
    'synced NOT_COORDINATOR': 'joining; forget coordinator',
    'synced COORDINATOR_LOAD_IN_PROGRESS': 'joining',
    'synced GROUP_AUTHORIZATION_FAILED': 'lost for good (FAILED); tell lost',
    'synced UNKNOWN_999': 'lost for good (FAILED); tell lost',
    'failed sync': 'joining; forget coordinator',
    'failed sync for good': 'lost for good (FAILED); tell lost',
  },
  stable: {
    close: 'revoking to leave; tell revoked',
    rejoin: 'revoking to join; tell revoked',
    'told revoked': 'stable',
    'told lost': 'stable',
    tick: 'stable',
    'heartbeat NONE': 'stable',
    'heartbeat REBALANCE_IN_PROGRESS': 'revoking to join; tell revoked',
    'heartbeat MEMBER_ID_REQUIRED': 'lost for good (FAILED); tell lost',
    'heartbeat UNKNOWN_MEMBER_ID': 'lost (UNKNOWN_MEMBER_ID); tell lost',
    'heartbeat ILLEGAL_GENERATION': 'lost (ILLEGAL_GENERATION); tell lost',
    'heartbeat FENCED_INSTANCE_ID': 'lost for good (FENCED_INSTANCE_ID); tell lost',
    'heartbeat NOT_COORDINATOR': 'stable; forget coordinator',
    'heartbeat COORDINATOR_LOAD_IN_PROGRESS': 'stable',
    'heartbeat GROUP_AUTHORIZATION_FAILED': 'lost for good (FAILED); tell lost',
    'heartbeat UNKNOWN_999': 'lost for good (FAILED); tell lost',
    'failed heartbeat': 'stable; forget coordinator',
    'failed heartbeat for good': 'lost for good (FAILED); tell lost',
  },
  'revoking, to join': {
    close: 'revoking to leave',
    rejoin: 'revoking to join',
    'told revoked': 'joining; join',
    'told lost': 'revoking to join',
    tick: 'revoking to join',
    'heartbeat NONE': 'revoking to join',
    'heartbeat REBALANCE_IN_PROGRESS': 'revoking to join',
    'heartbeat MEMBER_ID_REQUIRED': 'lost for good (FAILED); tell lost',
    'heartbeat UNKNOWN_MEMBER_ID': 'lost (UNKNOWN_MEMBER_ID); tell lost',
    'heartbeat ILLEGAL_GENERATION': 'lost (ILLEGAL_GENERATION); tell lost',
    'heartbeat FENCED_INSTANCE_ID': 'lost for good (FENCED_INSTANCE_ID); tell lost',
    'heartbeat NOT_COORDINATOR': 'revoking to join; forget coordinator',
    'heartbeat COORDINATOR_LOAD_IN_PROGRESS': 'revoking to join',
    'heartbeat GROUP_AUTHORIZATION_FAILED': 'lost for good (FAILED); tell lost',
    'heartbeat UNKNOWN_999': 'lost for good (FAILED); tell lost',
    'failed heartbeat': 'revoking to join; forget coordinator',
    'failed heartbeat for good': 'lost for good (FAILED); tell lost',
  },
  'revoking, to leave': {
    close: 'revoking to leave',
    rejoin: 'revoking to leave',
    'told revoked': 'leaving; leave',
    'told lost': 'revoking to leave',
    tick: 'revoking to leave',
    'heartbeat NONE': 'revoking to leave',
    'heartbeat REBALANCE_IN_PROGRESS': 'revoking to leave',
    'heartbeat MEMBER_ID_REQUIRED': 'left; tell lost; end',
    'heartbeat UNKNOWN_MEMBER_ID': 'left; tell lost; end',
    'heartbeat ILLEGAL_GENERATION': 'leaving; tell lost; leave',
    'heartbeat FENCED_INSTANCE_ID': 'left; tell lost; end',
    'heartbeat NOT_COORDINATOR': 'revoking to leave; forget coordinator',
    'heartbeat COORDINATOR_LOAD_IN_PROGRESS': 'revoking to leave',
    'heartbeat GROUP_AUTHORIZATION_FAILED': 'left; tell lost; end',
    'heartbeat UNKNOWN_999': 'left; tell lost; end',
    'failed heartbeat': 'revoking to leave; forget coordinator',
    'failed heartbeat for good': 'left; tell lost; end',
  },
  'lost, to join': {
    close: 'leaving; leave',
    rejoin: 'lost (ILLEGAL_GENERATION)',
    'told revoked': 'joining; join',
    'told lost': 'joining; join',
    tick: 'lost (ILLEGAL_GENERATION)',
  },
  'lost for good': {
    close: 'left; end',
    rejoin: 'lost for good (FENCED_INSTANCE_ID)',
    'told revoked': 'lost for good (FENCED_INSTANCE_ID)',
    'told lost': 'lost for good (FENCED_INSTANCE_ID)',
    tick: 'lost for good (FENCED_INSTANCE_ID)',
  },
  leaving: {
    close: 'leaving',
    rejoin: 'leaving',
    'told revoked': 'leaving',
    'told lost': 'leaving',
    tick: 'leaving',
    'left NONE': 'left; end',
    'left REBALANCE_IN_PROGRESS': 'left; end',
    'left MEMBER_ID_REQUIRED': 'left; end',
    'left UNKNOWN_MEMBER_ID': 'left; end',
    'left ILLEGAL_GENERATION': 'left; end',
    'left FENCED_INSTANCE_ID': 'left; end',
    'left NOT_COORDINATOR': 'leaving; forget coordinator',
    'left COORDINATOR_LOAD_IN_PROGRESS': 'leaving',
    'left GROUP_AUTHORIZATION_FAILED': 'left; end',
    'left UNKNOWN_999': 'left; end',
    'failed leave': 'leaving; forget coordinator',
    'failed leave for good': 'left; end',
  },
  'leaving, its id unknown': {
    close: 'leaving',
    rejoin: 'leaving',
    'told revoked': 'leaving',
    'told lost': 'leaving',
    tick: 'leaving',
    'joined NONE': 'leaving; leave',
    'joined REBALANCE_IN_PROGRESS': 'left; end',
    'joined MEMBER_ID_REQUIRED': 'leaving; leave',
    'joined UNKNOWN_MEMBER_ID': 'left; end',
    'joined ILLEGAL_GENERATION': 'left; end',
    'joined FENCED_INSTANCE_ID': 'left; end',
    'joined NOT_COORDINATOR': 'left; end',
    'joined COORDINATOR_LOAD_IN_PROGRESS': 'left; end',
    'joined GROUP_AUTHORIZATION_FAILED': 'left; end',
    'joined UNKNOWN_999': 'left; end',
    'failed join': 'left; end',
    'failed join for good': 'left; end',
  },
  left: {
    close: 'left',
    rejoin: 'left',
    'told revoked': 'left',
    'told lost': 'left',
    tick: 'left',
  },
};

const names = Object.keys(table) as Situation[];

describe('what comes of everything that may happen', () => {
  it.each(names)('%s', name => {
    const state = situations[name];
    const asked = happenings(state.round).filter(
      ([what]) => /^(close|rejoin|told|tick)/.test(what) || asks[name].test(what),
    );
    const seen = asked.map(([what, event]) => [what, summary(step(state, event, 1_500, settings))]);
    expect(Object.fromEntries(seen)).toEqual(table[name]);
  });

  it.each(names)('%s: answers to what was asked before change nothing', name => {
    const state = situations[name];
    for (const [what, event] of happenings(state.round - 1)) {
      if (!('round' in event)) continue;
      expect([what, step(state, event, 1_500, settings)]).toEqual([what, { state, effects: [] }]);
    }
  });

  it.each(names)('%s: looks at the clock again, unless there is nothing to wait for', name => {
    const state = situations[name];
    const at = wakeAt(state);
    if (state.is === 'lost' || state.is === 'left') expect(at).toBeUndefined();
    else expect(at).toBeLessThanOrEqual(1_000 + settings.rebalanceTimeoutMs + 5_000);
  });
});

const tick = { on: 'tick' } as const;
const { stable } = situations;

describe('time', () => {
  it('sends heartbeats at their interval, and again elsewhere when one is not answered within it', () => {
    expect(wakeAt(stable)).toBe(3_000);
    const first = step(stable, tick, 3_000, settings);
    expect(summary(first)).toBe('stable; heartbeat');
    expect(wakeAt(first.state)).toBe(5_000);
    const second = step(first.state, tick, 5_000, settings);
    expect(summary(second)).toBe('stable; forget coordinator; heartbeat');
    const answered = step(second.state, heartbeat(stable.round, 'NONE', 5_000), 5_100, settings);
    expect(wakeAt(answered.state)).toBe(7_000);
  });

  it('sends a failed heartbeat again soon, a little later each time', () => {
    const once = step(stable, failed(stable.round, 'heartbeat', true), 3_000, settings);
    expect(wakeAt(once.state)).toBe(3_100);
    const twice = step(once.state, failed(stable.round, 'heartbeat', true), 3_100, settings);
    expect(wakeAt(twice.state)).toBe(3_300);
  });

  it('counts the session from when the last answered heartbeat was sent, not from its answer', () => {
    const beat = step(stable, heartbeat(stable.round, 'NONE', 4_000), 8_000, settings).state;
    expect(heldAt(beat, 12_999)?.partitions).toEqual(partitions);
    expect(heldAt(beat, 13_000)).toBeUndefined();
    const older = step(beat, heartbeat(stable.round, 'NONE', 2_000), 8_100, settings).state;
    expect(heldAt(older, 12_999)).toBeDefined();
  });

  it.each(happenings(situations.stable.round))('past the session it is lost before anything else: %s', (_, event) => {
    for (const name of ['stable', 'revoking, to join', 'revoking, to leave'] as const) {
      const { effects } = step(situations[name], event, 10_000, settings);
      expect(effects[0]).toMatchObject({ do: 'tell lost', loss: { why: 'SESSION_EXPIRED', isFinal: false } });
      expect(effects.filter(effect => effect.do === 'tell lost')).toHaveLength(1);
    }
  });

  it('a late answer does not bring back a session that may be over', () => {
    const { state, effects } = step(stable, heartbeat(stable.round, 'NONE', 9_000), 10_000, settings);
    expect(summary({ state, effects })).toBe('lost (SESSION_EXPIRED); tell lost');
  });

  it('a revocation may take as long as the group waits, counted from before the group began to', () => {
    const alive = step(stable, heartbeat(stable.round, 'NONE', 4_000), 4_100, settings).state;
    let revoking = step(alive, heartbeat(stable.round, 'REBALANCE_IN_PROGRESS', 6_000), 6_100, settings).state;
    for (let at = 8_000; at < 34_000; at += 2_000) {
      revoking = step(revoking, heartbeat(stable.round, 'REBALANCE_IN_PROGRESS', at), at, settings).state;
    }
    expect(heldAt(revoking, 33_999)).toBeDefined();
    expect(heldAt(revoking, 34_000)).toBeUndefined();
    const late = step(revoking, { on: 'told', of: 'revoked' }, 34_000, settings);
    expect(summary(late)).toBe('lost (REVOKED_TOO_LATE); tell lost');
    expect(summary(step(late.state, { on: 'told', of: 'lost' }, 34_100, settings))).toBe('joining; join');
  });

  it('joins again only when both the revocation and the loss are dealt with', () => {
    const revoking = situations['revoking, to join'];
    const lost = step(revoking, heartbeat(revoking.round, 'UNKNOWN_MEMBER_ID'), 1_500, settings).state;
    const one = step(lost, { on: 'told', of: 'lost' }, 1_600, settings);
    expect(summary(one)).toBe('lost (UNKNOWN_MEMBER_ID)');
    const both = step(one.state, { on: 'told', of: 'revoked' }, 1_700, settings);
    expect(summary(both)).toBe('joining anew; join');
    expect(both.effects).toEqual([{ do: 'join', round: expect.any(Number), memberId: '', claim: undefined }]);
  });

  it('gives up an answer that is overdue, and asks again after a pause', () => {
    const joining = situations['joining, asked with its id'];
    expect(wakeAt(joining)).toBe(36_000);
    const given = step(joining, tick, 36_000, settings);
    expect(summary(given)).toBe('joining; forget coordinator');
    expect(summary(step(given.state, tick, 36_100, settings))).toBe('joining; join');
    expect(step(given.state, joined(joining.round, 'NONE'), 36_050, settings).state).toBe(given.state);
    const assigning = situations['syncing, assigning'];
    expect(summary(step(assigning, tick, 1_000 + 4_500, settings))).toBe('joining');
    expect(summary(step(situations['syncing, asked'], tick, 15_000, settings))).toBe('joining; forget coordinator');
  });

  it('does not join for ever', () => {
    let state = situations['joining, asked with its id'];
    let now = 1_000;
    for (let failures = 0; state.is === 'joining' && failures < 1_000; failures++) {
      state = step(state, joined(state.round, 'COORDINATOR_LOAD_IN_PROGRESS'), now, settings).state;
      now = wakeAt(state) ?? now;
      state = step(state, tick, now, settings).state;
    }
    expect(state).toMatchObject({
      is: 'lost',
      loss: { why: 'FAILED', isFinal: true, error: { code: 'KAFKA_CONNECTION' } },
    });
    expect(now).toBeGreaterThanOrEqual(301_000);
    expect(now).toBeLessThan(320_000);
  });

  it('asks once more for an assignment that came when half of the session was over', () => {
    const asked = situations['syncing, asked'];
    const late = step(asked, synced(asked.round, 'NONE'), 5_500, settings);
    expect(summary(late)).toBe('syncing; sync');
    const { state } = step(late.state, synced(late.state.round, 'NONE'), 5_600, settings);
    expect(heldAt(state, 14_499)).toBeDefined();
    expect(heldAt(state, 14_500)).toBeUndefined();
  });

  it('ends leaving when the group does not answer', () => {
    const { leaving } = situations;
    expect(summary(step(leaving, tick, 6_000, settings))).toBe('left; end');
    const refused = step(leaving, left(leaving.round, 'NOT_COORDINATOR'), 1_500, settings);
    expect(summary(step(refused.state, tick, 1_600, settings))).toBe('leaving; leave');
    expect(summary(step(situations['leaving, its id unknown'], tick, 6_000, settings))).toBe('left; end');
  });
});

describe('what a member tells', () => {
  it('claims what it gave back, and nothing that it lost', () => {
    const revoking = situations['revoking, to join'];
    const again = step(revoking, { on: 'told', of: 'revoked' }, 1_500, settings);
    expect(again.effects[0]).toMatchObject({ do: 'join', memberId: 'me', claim: { generation: 4, partitions } });
    const lost = step(situations['lost, to join'], { on: 'told', of: 'lost' }, 1_500, settings);
    expect(lost.effects[0]).toMatchObject({ do: 'join', memberId: 'me', claim: undefined });
  });

  it('keeps its claim through failures, until the group has forgotten it', () => {
    let { state } = step(situations['revoking, to join'], { on: 'told', of: 'revoked' }, 1_500, settings);
    state = step(state, joined(state.round, 'NOT_COORDINATOR'), 1_500, settings).state;
    const asked = step(state, tick, 1_600, settings);
    expect(asked.effects[0]).toMatchObject({ do: 'join', claim: { generation: 4 } });
    state = step(asked.state, joined(asked.state.round, 'UNKNOWN_MEMBER_ID'), 1_600, settings).state;
    expect(step(state, tick, 1_900, settings).effects[0]).toMatchObject({ do: 'join', memberId: '', claim: undefined });
  });

  it('a rejoin that is asked for while the group assigns comes after it', () => {
    const asked = situations['syncing, asked'];
    const { state } = step(asked, { on: 'rejoin' }, 1_500, settings);
    expect(summary(step(state, synced(state.round, 'NONE'), 1_600, settings))).toBe('joining; join');
  });

  it('an instance goes without a word, so that it finds its place when it is back', () => {
    const static_ = { ...settings, instanceId: 'i', leavesOnClose: false };
    const { state } = after(
      [round => joined(round, 'NONE'), round => synced(round, 'NONE'), () => ({ on: 'close' })],
      1_000,
      static_,
    );
    expect(isHolding(state) && state.membership.instanceId).toBe('i');
    expect(summary(step(state, { on: 'told', of: 'revoked' }, 1_500, static_))).toBe('left; end');
  });
});
