import type {
  MemberEvent,
  MemberState,
  Revoking,
  Stable,
  Step,
  StepSettings,
} from '../../../../../connectors/kafka/client/member/state.ts';
import { firstStep, step } from '../../../../../connectors/kafka/client/member/step.ts';
import type { JoinedGroup } from '../../../../../connectors/kafka/client/member-port.ts';
import { KafkaConnectionError, KafkaSecurityError } from '../../../../../connectors/kafka/errors.ts';

export const settings: StepSettings = {
  group: 'g',
  instanceId: undefined,
  sessionTimeoutMs: 9_000,
  heartbeatIntervalMs: 2_000,
  rebalanceTimeoutMs: 30_000,
  joinTimeoutMs: 300_000,
  leavesOnClose: true,
  pauseMs: failures => failures * 100,
};

export const partitions = [
  { topic: 't', partition: 0 },
  { topic: 't', partition: 1 },
];

export const answerTo = (error: string, more: Partial<JoinedGroup> = {}): JoinedGroup => ({
  ...{ error, generation: error === 'NONE' ? 4 : -1, protocol: 'p', leaderId: 'other', memberId: '', members: [] },
  ...more,
});

export const joined = (round: number, error: string, more: Partial<JoinedGroup> = {}): MemberEvent => ({
  ...{ on: 'joined', round },
  answer: answerTo(error, { memberId: error === 'NONE' || error === 'MEMBER_ID_REQUIRED' ? 'me' : '', ...more }),
});
export const synced = (round: number, error: string): MemberEvent => ({
  ...{ on: 'synced', round, error },
  partitions: error === 'NONE' ? partitions : [],
});
export const heartbeat = (round: number, error: string, sentAt = 1_000): MemberEvent => ({
  ...{ on: 'heartbeat', round, error, sentAt },
});
export const left = (round: number, error: string): MemberEvent => ({ on: 'left', round, error });
export const failed = (
  round: number,
  request: Extract<MemberEvent, { on: 'failed' }>['request'],
  mayPass: boolean,
): MemberEvent => ({
  ...{ on: 'failed', round, request, mayPass },
  error: mayPass ? new KafkaConnectionError('no answer') : new KafkaSecurityError('not allowed'),
});

/** Goes through these events, all at the same time. */
export function after(events: readonly ((round: number) => MemberEvent)[], now = 1_000, with_ = settings): Step {
  let last = firstStep(now, with_);
  for (const event of events) last = step(last.state, event(last.state.round), now, with_);
  return last;
}

const beStable = [
  (round: number) => joined(round, 'MEMBER_ID_REQUIRED'),
  (round: number) => joined(round, 'NONE'),
  (round: number) => synced(round, 'NONE'),
];
const rebalance = (round: number) => heartbeat(round, 'REBALANCE_IN_PROGRESS');
const close = (): MemberEvent => ({ on: 'close' });

/** Every state that a member may be in, at 1,000 ms, in the order in which it gets there. */
export const situations = {
  'joining, asked for the first time': after([]).state,
  'joining, asked with its id': after(beStable.slice(0, 1)).state,
  'joining, pausing': after([round => failed(round, 'join', true)]).state,
  'syncing, assigning': after([round => joined(round, 'NONE', { leaderId: 'me' })]).state,
  'syncing, asked': after(beStable.slice(0, 2)).state,
  stable: after(beStable).state,
  'revoking, to join': after([...beStable, rebalance]).state,
  'revoking, to leave': after([...beStable, close]).state,
  'lost, to join': after([...beStable, round => heartbeat(round, 'ILLEGAL_GENERATION')]).state,
  'lost for good': after([...beStable, round => heartbeat(round, 'FENCED_INSTANCE_ID')]).state,
  leaving: after([...beStable, close, () => ({ on: 'told', of: 'revoked' })]).state,
  'leaving, its id unknown': after([close]).state,
  left: after([...beStable, close, () => ({ on: 'told', of: 'revoked' }), round => left(round, 'NONE')]).state,
} satisfies Record<string, MemberState>;

export type Situation = keyof typeof situations;

/** One error for each thing that an error may mean, and two that no table has. */
export const errors = [
  'NONE',
  'REBALANCE_IN_PROGRESS',
  'MEMBER_ID_REQUIRED',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'FENCED_INSTANCE_ID',
  'NOT_COORDINATOR',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'GROUP_AUTHORIZATION_FAILED',
  'UNKNOWN_999',
];

/** Everything that may happen to a member, with the name that the tables have for it. */
export function happenings(round: number): readonly (readonly [name: string, event: MemberEvent])[] {
  const requests = ['join', 'assign', 'sync', 'heartbeat', 'leave'] as const;
  return [
    ['close', { on: 'close' }],
    ['rejoin', { on: 'rejoin' }],
    ['told revoked', { on: 'told', of: 'revoked' }],
    ['told lost', { on: 'told', of: 'lost' }],
    ['tick', { on: 'tick' }],
    ['assigned', { on: 'assigned', round, assignments: [] }],
    ...errors.flatMap(error => [
      [`joined ${error}`, joined(round, error)] as const,
      [`synced ${error}`, synced(round, error)] as const,
      [`heartbeat ${error}`, heartbeat(round, error)] as const,
      [`left ${error}`, left(round, error)] as const,
    ]),
    ...requests.flatMap(request => [
      [`failed ${request}`, failed(round, request, true)] as const,
      [`failed ${request} for good`, failed(round, request, false)] as const,
    ]),
  ];
}

/** Which request a state waits for the answer of. */
export const asks: Record<Situation, RegExp> = {
  'joining, asked for the first time': /joined|failed join/,
  'joining, asked with its id': /joined|failed join/,
  'joining, pausing': /^never$/,
  'syncing, assigning': /assigned|failed assign/,
  'syncing, asked': /synced|failed sync/,
  stable: /heartbeat/,
  'revoking, to join': /heartbeat/,
  'revoking, to leave': /heartbeat/,
  'lost, to join': /^never$/,
  'lost for good': /^never$/,
  leaving: /left|failed leave/,
  'leaving, its id unknown': /joined|failed join/,
  left: /^never$/,
};

/** A step in short: the state and what is to be done. */
export function summary({ state, effects }: Step): string {
  const more =
    state.is === 'revoking' ? ` to ${state.next}` : state.is === 'lost' && state.loss.isFinal ? ' for good' : '';
  const why = state.is === 'lost' ? ` (${state.loss.why})` : '';
  const id = state.is === 'joining' && state.memberId === '' ? ' anew' : '';
  return [`${state.is}${more}${why}${id}`, ...effects.map(effect => effect.do)].join('; ');
}

export const isHolding = (state: MemberState): state is Stable | Revoking =>
  state.is === 'stable' || state.is === 'revoking';
