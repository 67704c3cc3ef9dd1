import { isActive, runOut, wakeAt } from '../../../../../../connectors/kafka/client/member/active.ts';
import { isOverdue } from '../../../../../../connectors/kafka/client/member/held.ts';
import type {
  MemberEffect,
  MemberEvent,
  MemberState,
  StepSettings,
} from '../../../../../../connectors/kafka/client/member/state.ts';
import { firstStep, step } from '../../../../../../connectors/kafka/client/member/step.ts';
import { decodeAssignment, encodeSubscription } from '../../../../../../connectors/kafka/client/member/subscription.ts';
import { KafkaConnectionError } from '../../../../../../connectors/kafka/errors.ts';
import type { CoordinatorModel } from './coordinator-model.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What surrounds the members: how long things take, and what goes wrong. */
export interface Surroundings {
  readonly time: VirtualTime;
  readonly settings: StepSettings;
  readonly coordinator: CoordinatorModel;
  /** One way over the network, in ms; `undefined` when it gets lost. */
  readonly wayMs: () => number | undefined;
  /** How long tasks take to end, in ms. */
  readonly endMs: () => number;
  /** What the listeners hear. */
  readonly hears: (member: SimulatedMember, call: Call) => void;
}

export type Call =
  /** 'ended': they do not run here any more. */
  | { readonly is: 'assigned' | 'revoked' | 'ended'; readonly tasks: readonly number[] }
  | { readonly is: 'lost'; readonly tasks: readonly number[]; readonly why: string };

/** Drives the steps of a member against the model of a coordinator, and does with its tasks what it is told. */
export class SimulatedMember {
  readonly name: string;
  readonly #world: Surroundings;
  state: MemberState;
  isDead = false;
  /** What was told to run and did not end, as a process sees it. */
  readonly running = new Set<number>();
  #stoppedUntil = 0;
  #joinsHangUntil = 0;
  readonly #events: MemberEvent[] = [];
  #isWorking = false;
  #wakes = 0;

  constructor(name: string, world: Surroundings) {
    this.name = name;
    this.#world = world;
    const { state, effects } = firstStep(world.time.now, world.settings);
    this.state = state;
    this.#carryOut(effects);
    this.#setTimer();
  }

  /** What nobody else may run: until its time has run out, whether it has noticed or not. */
  get holds(): readonly number[] {
    const { state } = this;
    const { time, settings } = this.#world;
    if (this.isDead && !isActive(state)) return [];
    if (!isActive(state) || runOut(state, time.now, settings) !== undefined) return [];
    return [...state.held.running, ...state.held.ending.flatMap(ending => (isOverdue(ending) ? [] : ending.tasks))];
  }

  close(): void {
    this.happen({ on: 'close' });
  }

  /** As by SIGKILL. */
  die(): void {
    this.isDead = true;
    this.#endAll();
  }

  /** As by SIGSTOP; what comes in the meantime is there afterwards. */
  stop(ms: number): void {
    this.#stoppedUntil = Math.max(this.#stoppedUntil, this.#world.time.now + ms);
  }

  /** What it asks to be taken in with goes nowhere; its heartbeats get through. */
  hangJoins(ms: number): void {
    this.#joinsHangUntil = this.#world.time.now + ms;
  }

  happen(event: MemberEvent): void {
    if (this.isDead) return;
    const { time, settings } = this.#world;
    if (time.now < this.#stoppedUntil) {
      time.at(this.#stoppedUntil, () => this.happen(event));
      return;
    }
    this.#events.push(event);
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let next = this.#events.shift(); next; next = this.#events.shift()) {
      const { state, effects } = step(this.state, next, time.now, settings);
      this.state = state;
      this.#carryOut(effects);
    }
    this.#isWorking = false;
    this.#setTimer();
  }

  #endAll(): void {
    const tasks = [...this.running];
    this.running.clear();
    this.#world.hears(this, { is: 'ended', tasks });
  }

  #setTimer(): void {
    const at = wakeAt(this.state, this.#world.settings);
    const wake = ++this.#wakes;
    if (at === undefined) return;
    this.#world.time.at(at, () => {
      if (wake === this.#wakes) this.happen({ on: 'tick' });
    });
  }

  #carryOut(effects: readonly MemberEffect[]): void {
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: MemberEffect): void {
    const { coordinator, time } = this.#world;
    switch (effect.do) {
      case 'join': {
        const { round, memberId, claim } = effect;
        const metadata = encodeSubscription(['t'], claim);
        if (time.now < this.#joinsHangUntil) break;
        this.#ask(
          back => coordinator.join(memberId, metadata, answer => back({ on: 'joined', round, answer })),
          error => ({ on: 'failed', request: 'join', round, error, mayPass: true }),
        );
        break;
      }
      case 'sync': {
        const { round, memberId, generation, assignments } = effect;
        this.#ask(
          back =>
            coordinator.sync(memberId, generation, assignments, ({ error, assignment }) => {
              const part = decodeAssignment(Buffer.from(error === 'NONE' ? assignment : []));
              back({ on: 'synced', round, error, assignment: part });
            }),
          error => ({ on: 'failed', request: 'sync', round, error, mayPass: true }),
        );
        break;
      }
      case 'heartbeat': {
        const { session, memberId, generation } = effect;
        const sentAt = time.now;
        this.#ask(
          back => back({ on: 'heartbeat', session, sentAt, error: coordinator.heartbeat(memberId, generation) }),
          error => ({ on: 'heartbeat failed', session, error, mayPass: true }),
        );
        break;
      }
      case 'leave': {
        const { round, memberId } = effect;
        this.#ask(
          back => back({ on: 'left', round, error: coordinator.leave(memberId) }),
          error => ({ on: 'failed', request: 'leave', round, error, mayPass: true }),
        );
        break;
      }
      case 'tell assigned': {
        this.#world.hears(this, { is: 'assigned', tasks: effect.tasks });
        for (const task of effect.tasks) this.running.add(task);
        break;
      }
      case 'tell revoked': {
        const { call, tasks } = effect;
        this.#world.hears(this, { is: 'revoked', tasks });
        time.after(this.#world.endMs(), () => {
          if (this.isDead) return;
          for (const task of tasks) this.running.delete(task);
          this.#world.hears(this, { is: 'ended', tasks });
          this.happen({ on: 'told revoked', call });
        });
        break;
      }
      case 'tell lost': {
        this.#world.hears(this, { is: 'lost', tasks: [...this.running], why: effect.loss.why });
        time.after(this.#world.endMs() / 4, () => {
          this.#endAll();
          this.happen({ on: 'told lost' });
        });
        break;
      }
    }
  }

  /** What gets lost on either way fails a while later, as when a connection breaks. */
  #ask(send: (back: (event: MemberEvent) => void) => void, failed: (error: KafkaConnectionError) => MemberEvent): void {
    const { time, wayMs } = this.#world;
    const fail = () => time.after(1_000, () => this.happen(failed(new KafkaConnectionError('lost'))));
    const there = wayMs();
    if (there === undefined) {
      fail();
      return;
    }
    time.after(there, () =>
      send(event => {
        const here = wayMs();
        if (here === undefined) fail();
        else time.after(here, () => this.happen(event));
      }),
    );
  }
}
