import { assignmentsOf } from '../../../../../../connectors/kafka/client/member/assignments.ts';
import type { StepSettings } from '../../../../../../connectors/kafka/client/member/state.ts';
import { CoordinatorModel } from './coordinator-model.ts';
import { type Call, SimulatedMember } from './simulated-member.ts';
import { VirtualTime } from './virtual-time.ts';

export interface GroupOptions {
  readonly tasks: number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly heartbeatIntervalMs?: number;
  /** How long tasks take to end at most. */
  readonly mostEndMs?: number;
}

/** Members and their coordinator in virtual time; every call of a listener is checked at once. */
export class SimulatedGroup {
  readonly time = new VirtualTime();
  readonly settings: StepSettings;
  readonly coordinator: CoordinatorModel;
  readonly members: SimulatedMember[] = [];
  readonly heard: { readonly at: number; readonly member: string; readonly call: Call }[] = [];
  /** How much of what is sent gets lost, from 0 to 1. */
  lossRate = 0;
  /** How much of it takes seconds, from 0 to 1. */
  slowRate = 0;
  readonly tasks: number;
  readonly #random: () => number;
  readonly #mostEndMs: number;

  constructor({ tasks, random, heartbeatIntervalMs = 1_000, mostEndMs = 2_000 }: GroupOptions) {
    this.tasks = tasks;
    this.#random = random;
    this.#mostEndMs = mostEndMs;
    this.settings = {
      ...{ group: 'g', instanceId: undefined, leavesOnClose: true, heartbeatIntervalMs },
      ...{ sessionTimeoutMs: 15_000, rebalanceTimeoutMs: 60_000, joinTimeoutMs: 300_000 },
      pauseMs: failures => Math.min(100 * 2 ** (failures - 1), 2_000),
      assign: members => assignmentsOf(members, ['t'], tasks),
    };
    this.coordinator = new CoordinatorModel(this.time, { ...this.settings, initialDelayMs: 3_000 });
  }

  join(): SimulatedMember {
    const member = new SimulatedMember(`p${this.members.length}`, {
      time: this.time,
      settings: this.settings,
      coordinator: this.coordinator,
      wayMs: () => this.#wayMs(),
      endMs: () => this.#random() * this.#mostEndMs,
      hears: (member, call) => this.#heard(member, call),
    });
    this.members.push(member);
    return member;
  }

  get living(): readonly SimulatedMember[] {
    return this.members.filter(({ isDead, state }) => !isDead && state.is !== 'left' && state.is !== 'leaving');
  }

  /** Every task runs at one member, nobody holds what it does not run, and loads differ by at most one. */
  get isSettled(): boolean {
    const { living } = this;
    const running = living.flatMap(member => [...member.running]);
    const loads = living.map(member => member.running.size);
    const isSpread = Math.max(...loads) - Math.min(...loads) <= 1;
    const isCalm = living.every(({ state }) => state.is === 'stable' && state.held.ending.length === 0);
    return isCalm && isSpread && running.length === this.tasks && new Set(running).size === this.tasks;
  }

  /** The time that it took, `undefined` when it was not settled by then. */
  settle(withinMs: number): number | undefined {
    const { now } = this.time;
    while (this.time.now < now + withinMs) {
      this.time.runUntil(this.time.now + 10);
      if (this.isSettled) return this.time.now - now;
    }
    return undefined;
  }

  #wayMs(): number | undefined {
    if (this.#random() < this.lossRate) return undefined;
    return this.#random() < this.slowRate ? this.#random() * 20_000 : 1 + this.#random() * 19;
  }

  #heard(member: SimulatedMember, call: Call): void {
    this.heard.push({ at: this.time.now, member: member.name, call });
    if (call.is !== 'assigned') return;
    if (call.tasks.some(task => member.running.has(task))) throw new Error(`${member.name} runs some of ${call.tasks}`);
    for (const other of this.members) {
      if (other === member) continue;
      const both = other.holds.filter(task => call.tasks.includes(task));
      if (both.length === 0) continue;
      throw new Error(
        `${this.time.now}: ${member.name} was assigned ${both} while ${other.name} holds them${other.isDead ? ', dead' : ''}`,
      );
    }
  }
}
