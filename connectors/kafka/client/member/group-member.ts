import {
  InternalError,
  isPromise,
  type Logger,
  type MaybePromise,
  messageOf,
  type TaskShareListener,
  TidemarkError,
} from '../../../../lib/index.ts';
import { KafkaAnswerError, KafkaConnectionError } from '../../errors.ts';
import type { GroupClient, GroupMember, GroupMemberRequest, GroupNode } from '../member-port.ts';
import { wakeAt } from './active.ts';
import { assignmentsOf } from './assignments.ts';
import { type MemberClock, machineClock } from './clock.ts';
import { type GroupMemberOptions, type GroupMemberSettings, groupMemberSettings } from './options.ts';
import { retryPauseMs } from './pause.ts';
import type { MemberEffect, MemberEvent, MemberState, StepSettings } from './state.ts';
import { firstStep, step } from './step.ts';
import { decodeAssignment, encodeSubscription, protocolName, protocolType } from './subscription.ts';

type Effect<Do extends MemberEffect['do']> = Extract<MemberEffect, { do: Do }>;
type Request = Effect<'join' | 'sync' | 'heartbeat' | 'leave'>['do'];

/**
 * Joins a consumer group, and stays its member until it is closed or finally lost. `client` stays the caller's, and is closed
 * after the member. Throws a `SettingsError`.
 */
export function joinGroup(
  client: GroupClient,
  options: GroupMemberOptions,
  listener: TaskShareListener,
  logger: Logger,
  clock: MemberClock = machineClock(),
): GroupMember {
  return new KafkaGroupMember(client, groupMemberSettings(options), listener, logger, clock);
}

/** Does what the steps say, with requests, a timer and a listener. */
class KafkaGroupMember implements GroupMember {
  readonly #client: GroupClient;
  readonly #settings: GroupMemberSettings;
  #stepSettings: StepSettings;
  readonly #listener: TaskShareListener;
  readonly #logger: Logger;
  readonly #clock: MemberClock;
  readonly #ended = Promise.withResolvers<void>();
  readonly #events: MemberEvent[] = [];
  #state: MemberState;
  #isWorking = false;
  #cancelTimer = () => {};

  constructor(
    client: GroupClient,
    settings: GroupMemberSettings,
    listener: TaskShareListener,
    logger: Logger,
    clock: MemberClock,
  ) {
    this.#client = client;
    this.#settings = settings;
    const { topics, tasks } = settings;
    this.#stepSettings = {
      ...settings,
      pauseMs: retryPauseMs,
      assign: members => assignmentsOf(members, topics, tasks),
    };
    this.#listener = listener;
    this.#logger = logger.child({ group: settings.group });
    this.#clock = clock;
    const { state, effects } = firstStep(clock.now(), this.#stepSettings);
    this.#state = state;
    this.#setTimer();
    for (const effect of effects) this.#carryOut(effect);
  }

  giveUp(tasks: readonly number[]): void {
    this.#logger.info({ tasks }, 'given up: the group assigns them anew');
    this.#happened({ on: 'given up', tasks });
  }

  close(isForGood = false): Promise<void> {
    if (isForGood) this.#stepSettings = { ...this.#stepSettings, leavesOnClose: true };
    this.#happened({ on: 'close' });
    return this.#ended.promise;
  }

  /** One event after the other: a listener may call back. */
  #happened(event: MemberEvent): void {
    this.#events.push(event);
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let next = this.#events.shift(); next; next = this.#events.shift()) {
      const { state, effects } = step(this.#state, next, this.#clock.now(), this.#stepSettings);
      if (state.is !== this.#state.is) this.#logger.debug({ from: this.#state.is, to: state.is }, 'a member moves on');
      this.#state = state;
      for (const effect of effects) this.#carryOut(effect);
    }
    this.#isWorking = false;
    this.#setTimer();
  }

  #setTimer(): void {
    this.#cancelTimer();
    const at = wakeAt(this.#state, this.#stepSettings);
    this.#cancelTimer = at === undefined ? () => {} : this.#clock.at(at, () => this.#happened({ on: 'tick' }));
  }

  #carryOut(effect: MemberEffect): void {
    switch (effect.do) {
      case 'join':
        this.#join(effect);
        break;
      case 'sync':
        this.#sync(effect);
        break;
      case 'heartbeat':
        this.#heartbeat(effect);
        break;
      case 'leave':
        this.#leave(effect);
        break;
      case 'forget coordinator':
        this.#client.forgetCoordinator('group', this.#settings.group);
        break;
      case 'tell assigned':
        this.#tellAssigned(effect);
        break;
      case 'tell revoked':
        this.#tellRevoked(effect);
        break;
      case 'tell lost':
        this.#tellLost(effect);
        break;
      case 'end':
        this.#ended.resolve();
        break;
    }
  }

  #join({ round, memberId, claim }: Effect<'join'>): void {
    const { group, topics, tasks, spread, instanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#settings;
    const protocols = [{ name: protocolName(tasks, spread), metadata: encodeSubscription(topics, claim) }];
    const request = { group, instanceId, memberId, sessionTimeoutMs, rebalanceTimeoutMs, protocolType, protocols };
    this.#ask('join', round, async node => ({ on: 'joined', round, answer: await node.joinGroup(request) }));
  }

  #sync({ round, memberId, generation, assignments }: Effect<'sync'>): void {
    const request = { ...this.#identity(memberId, generation), assignments };
    this.#ask('sync', round, async node => {
      const { error, assignment } = await node.syncGroup(request);
      return { on: 'synced', round, error, assignment: decodeAssignment(error === 'NONE' ? assignment : nothing) };
    });
  }

  #heartbeat({ session, memberId, generation }: Effect<'heartbeat'>): void {
    const sentAt = this.#clock.now();
    const request = this.#identity(memberId, generation);
    const withinMs = this.#settings.sessionTimeoutMs / shareOfSession;
    this.#ask('heartbeat', session, async node => ({
      ...{ on: 'heartbeat', session, sentAt },
      error: await node.heartbeat(request, withinMs),
    }));
  }

  #leave({ round, memberId }: Effect<'leave'>): void {
    const { group, instanceId } = this.#settings;
    const request = { group, memberId, instanceId };
    this.#ask('leave', round, async node => ({ on: 'left', round, error: await node.leaveGroup(request) }));
  }

  #identity(memberId: string, generation: number): GroupMemberRequest {
    const { group, instanceId } = this.#settings;
    return { group, generation, memberId, instanceId };
  }

  /** How long it may take, the steps say: they do not wait for it longer. `of`: the round, or the session of a heartbeat. */
  #ask(request: Request, of: number, ask: (node: GroupNode) => Promise<MemberEvent>): void {
    const answered = async () => ask(await this.#client.coordinator('group', this.#settings.group));
    answered().then(
      event => this.#happened(event),
      cause => {
        const error = cause instanceof TidemarkError ? cause : unforeseen(request, cause);
        const mayPass = error instanceof KafkaConnectionError || (error instanceof KafkaAnswerError && error.retriable);
        this.#logger.debug({ request, error: messageOf(error) }, 'a request of a member failed');
        if (request === 'heartbeat') this.#happened({ on: 'heartbeat failed', session: of, error, mayPass });
        else this.#happened({ on: 'failed', request, round: of, error, mayPass });
      },
    );
  }

  #tellAssigned({ tasks, generation }: Effect<'tell assigned'>): void {
    this.#logger.info({ tasks, generation }, 'assigned by the group');
    try {
      this.#listener.assigned(tasks, generation);
    } catch (error) {
      this.#complain('assigned', error);
    }
  }

  #tellRevoked({ call, tasks, withinMs }: Effect<'tell revoked'>): void {
    this.#logger.info({ tasks, withinMs }, 'to be given back to the group');
    this.#tell('revoked', { on: 'told revoked', call }, () => this.#listener.revoked(tasks, withinMs));
  }

  #tellLost({ loss }: Effect<'tell lost'>): void {
    const { why, isFinal, error } = loss;
    this.#logger.warn({ why, isFinal, error: error && messageOf(error) }, 'not a member of the group any more');
    this.#tell('lost', { on: 'told lost' }, () => this.#listener.lost(loss));
  }

  #tell(of: 'revoked' | 'lost', done: MemberEvent, call: () => MaybePromise<void>): void {
    const isDone = () => this.#happened(done);
    const failed = (error: unknown) => {
      this.#complain(of, error);
      isDone();
    };
    try {
      const result = call();
      if (isPromise(result)) result.then(isDone, failed);
      else isDone();
    } catch (error) {
      failed(error);
    }
  }

  #complain(of: string, error: unknown): void {
    this.#logger.error({ error: messageOf(error) }, `the listener of a group member threw in "${of}"`);
  }
}

/** Of which a heartbeat may take one: enough are left to try other connections. */
const shareOfSession = 5;

const nothing = Buffer.alloc(0);

const unforeseen = (request: Request, cause: unknown): TidemarkError =>
  new InternalError(`A group member could not ${request}: ${messageOf(cause)}`, { cause });
