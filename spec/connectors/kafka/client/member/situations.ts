import { isActive } from '../../../../../connectors/kafka/client/member/active.ts';
import type {
  MemberEvent,
  MemberState,
  Step,
  StepSettings,
} from '../../../../../connectors/kafka/client/member/state.ts';
import { firstStep, step } from '../../../../../connectors/kafka/client/member/step.ts';
import type { Assignment, JoinedGroup } from '../../../../../connectors/kafka/client/member-port.ts';
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
  assign: members => members.map(({ memberId }) => ({ memberId, assignment: Buffer.from('a part') })),
};

export const part = (tasks: readonly number[], more: Partial<Assignment> = {}): Assignment => ({
  ...{ tasks, comesAgain: false, isPartial: false },
  ...more,
});

export const answerTo = (error: string, more: Partial<JoinedGroup> = {}): JoinedGroup => ({
  ...{ error, generation: error === 'NONE' ? 4 : -1, protocol: 'p', leaderId: 'other', memberId: '', members: [] },
  ...more,
});

export const joined = (round: number, error: string, more: Partial<JoinedGroup> = {}): MemberEvent => ({
  ...{ on: 'joined', round },
  answer: answerTo(error, { memberId: error === 'NONE' || error === 'MEMBER_ID_REQUIRED' ? 'me' : '', ...more }),
});
export const synced = (
  round: number,
  error: string,
  assignment = part(error === 'NONE' ? [0, 1] : []),
): MemberEvent => ({
  ...{ on: 'synced', round, error, assignment },
});
export const heartbeat = (session: number, error: string, sentAt = 1_000): MemberEvent => ({
  ...{ on: 'heartbeat', session, error, sentAt },
});
export const left = (round: number, error: string): MemberEvent => ({ on: 'left', round, error });
const lost = { true: new KafkaConnectionError('no answer'), false: new KafkaSecurityError('not allowed') };
export const failed = (
  round: number,
  request: Extract<MemberEvent, { on: 'failed' }>['request'],
  mayPass: boolean,
): MemberEvent => ({ ...{ on: 'failed', round, request, mayPass }, error: lost[`${mayPass}`] });
export const beatFailed = (session: number, mayPass: boolean): MemberEvent => ({
  ...{ on: 'heartbeat failed', session, mayPass },
  error: lost[`${mayPass}`],
});

export const sessionOf = (state: MemberState): number => (isActive(state) ? (state.session?.id ?? 0) : 0);

type Moving = (round: number, session: number) => MemberEvent;

/** Goes through these events, all at the same time. */
export function afterwards(events: readonly Moving[], now = 1_000, with_ = settings): Step {
  let last = firstStep(now, with_);
  for (const event of events) last = step(last.state, event(last.state.round, sessionOf(last.state)), now, with_);
  return last;
}

const isIn: Moving = round => joined(round, 'NONE');
const gets =
  (...tasks: number[]): Moving =>
  round =>
    synced(round, 'NONE', part(tasks, { comesAgain: tasks.length === 1 }));
const rebalance: Moving = (_, session) => heartbeat(session, 'REBALANCE_IN_PROGRESS');
const close: Moving = () => ({ on: 'close' });
const beStable: readonly Moving[] = [round => joined(round, 'MEMBER_ID_REQUIRED'), isIn, gets(0, 1)];
const giveBackOne: readonly Moving[] = [...beStable, rebalance, isIn, gets(0)];
const gaveBack: Moving = () => ({ on: 'told revoked', call: 1 });

/** Every state that a member may be in, at 1,000 ms, in the order in which it gets there. */
export const situations = {
  'joining, asked for the first time': afterwards([]).state,
  'joining, asked with its id': afterwards(beStable.slice(0, 1)).state,
  'joining, pausing': afterwards([round => failed(round, 'join', true)]).state,
  syncing: afterwards(beStable.slice(0, 2)).state,
  stable: afterwards(beStable).state,
  'joining, holding': afterwards([...beStable, rebalance]).state,
  'joining, holding, pausing': afterwards([...beStable, rebalance, round => failed(round, 'join', true)]).state,
  'syncing, holding': afterwards([...beStable, rebalance, isIn]).state,
  'stable, giving back': afterwards(giveBackOne).state,
  'joining, giving back': afterwards([...giveBackOne, rebalance]).state,
  'closing, joining': afterwards([...beStable, close]).state,
  'closing, syncing': afterwards([...beStable, close, isIn]).state,
  closing: afterwards([...beStable, close, isIn, gets()]).state,
  'lost, to join': afterwards([...beStable, (_, session) => heartbeat(session, 'ILLEGAL_GENERATION')]).state,
  'lost for good': afterwards([...beStable, (_, session) => heartbeat(session, 'FENCED_INSTANCE_ID')]).state,
  leaving: afterwards([...beStable, close, gaveBack]).state,
  'leaving, its id unknown': afterwards([close]).state,
  left: afterwards([...beStable, close, gaveBack, round => left(round, 'NONE')]).state,
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
export function happenings(round: number, session: number): readonly (readonly [name: string, event: MemberEvent])[] {
  const requests = ['join', 'sync', 'leave'] as const;
  return [
    ['close', { on: 'close' }],
    ['told revoked', { on: 'told revoked', call: 1 }],
    ['told lost', { on: 'told lost' }],
    ['tick', { on: 'tick' }],
    ...errors.flatMap(error => [
      [`joined ${error}`, joined(round, error)] as const,
      [`synced ${error}`, synced(round, error)] as const,
      [`left ${error}`, left(round, error)] as const,
      [`heartbeat ${error}`, heartbeat(session, error)] as const,
    ]),
    ...requests.flatMap(request => [
      [`failed ${request}`, failed(round, request, true)] as const,
      [`failed ${request} for good`, failed(round, request, false)] as const,
    ]),
    ['failed heartbeat', beatFailed(session, true)],
    ['failed heartbeat for good', beatFailed(session, false)],
  ];
}

/** Which answers a state waits for. */
export function answersOf(state: MemberState): RegExp {
  const beats = isActive(state) && state.session !== undefined ? '|heartbeat' : '';
  if (state.is === 'joining') return new RegExp((state.isAsked ? '^joined|^failed join' : '^never') + beats);
  if (state.is === 'syncing') return new RegExp(`^synced|^failed sync${beats}`);
  if (state.is === 'leaving') return state.nextAt === undefined ? /^joined|^failed join/ : /^left|^failed leave/;
  return state.is === 'stable' ? /heartbeat/ : /^never/;
}

/** A step in short: the state, what runs, what ends (in brackets) and what is to be done. */
export function summary({ state, effects }: Step): string {
  const { is } = state;
  const parts: string[] = [is];
  if (isActive(state)) {
    const { held, isClosing, memberId } = state;
    const ending = held.ending.flatMap(({ tasks }) => tasks);
    if (isClosing) parts.push('to leave');
    if (is === 'joining' && memberId === '') parts.push('anew');
    parts.push(held.running.join(','), ending.length > 0 ? `(${ending.join(',')})` : '');
    parts.push(held.waiting.length > 0 ? `then ${held.waiting.join(',')}` : '');
  }
  if (state.is === 'lost') parts.push(state.loss.isFinal ? 'for good' : '', state.loss.why);
  const done = effects.map(effect => ('tasks' in effect ? `${effect.do} ${effect.tasks.join(',')}` : effect.do));
  return [parts.filter(text => text !== '').join(' '), ...done].join('; ');
}
