import type { Assignments } from '../../../../../../connectors/kafka/client/member/assignments.ts';
import type { JoinedGroup } from '../../../../../../connectors/kafka/client/member-port.ts';
import type { VirtualTime } from './virtual-time.ts';

type Answer<T> = (answer: T) => void;
type Synced = { readonly error: string; readonly assignment: Uint8Array };

interface Member {
  readonly id: string;
  readonly metadata: Buffer;
  /** The group's answer that it waits for. */
  joining: Answer<JoinedGroup> | undefined;
  syncing: Answer<Synced> | undefined;
  heardAt: number;
  assignment: Uint8Array;
}

const none = new Uint8Array(0);

export interface CoordinatorSettings {
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly initialDelayMs: number;
}

/** A group as Kafka's coordinator has it (GroupCoordinator.scala: classic protocol, dynamic members), in virtual time. */
export class CoordinatorModel {
  readonly #time: VirtualTime;
  readonly #settings: CoordinatorSettings;
  #state: 'empty' | 'preparing' | 'completing' | 'stable' = 'empty';
  #generation = 0;
  #members = new Map<string, Member>();
  #pending = new Set<string>();
  #leader = '';
  /** Which rebalance it is: a timer of an earlier one does nothing. */
  #rebalance = 0;
  #joinsUntil = 0;
  #ids = 0;
  /** What is in the log: what the next coordinator starts from. */
  #written: { readonly generation: number; readonly leader: string; readonly members: readonly Member[] } = {
    ...{ generation: 0, leader: '', members: [] },
  };
  rounds = 0;
  requests = 0;
  /** Bytes that the group puts into its log. */
  writtenBytes = 0;

  constructor(time: VirtualTime, settings: CoordinatorSettings) {
    this.#time = time;
    this.#settings = settings;
  }

  get isStable(): boolean {
    return this.#state === 'stable';
  }

  get size(): number {
    return this.#members.size;
  }

  join(id: string, metadata: Buffer, answer: Answer<JoinedGroup>): void {
    this.requests++;
    if (id === '') {
      const given = `m${++this.#ids}`;
      this.#pending.add(given);
      this.#time.after(this.#settings.sessionTimeoutMs, () => {
        if (this.#pending.delete(given)) this.#completeJoins();
      });
      answer(refused('MEMBER_ID_REQUIRED', given));
      return;
    }
    const known = this.#members.get(id);
    if (known === undefined && !this.#pending.delete(id)) {
      answer(refused('UNKNOWN_MEMBER_ID', ''));
      return;
    }
    const isSame = known?.metadata.equals(metadata) ?? false;
    const isAnswerable = this.#state === 'completing' || (this.#state === 'stable' && id !== this.#leader);
    if (isSame && isAnswerable) {
      this.#hear(id);
      answer(this.#joined(id));
      return;
    }
    const { now } = this.#time;
    const before = { syncing: known?.syncing, assignment: known?.assignment ?? none };
    this.#members.set(id, { id, metadata, joining: answer, heardAt: now, ...before });
    if (known === undefined) this.#watch(id);
    if (this.#state === 'preparing') this.#completeJoins();
    else this.#prepare();
  }

  sync(id: string, generation: number, assignments: Assignments, answer: Answer<Synced>): void {
    this.requests++;
    const member = this.#members.get(id);
    const error = this.#refusal(id, generation) ?? (this.#state === 'preparing' ? 'REBALANCE_IN_PROGRESS' : undefined);
    if (error !== undefined || member === undefined) {
      answer({ error: error ?? 'UNKNOWN_MEMBER_ID', assignment: none });
      return;
    }
    this.#hear(id);
    if (this.#state === 'stable') {
      answer({ error: 'NONE', assignment: member.assignment });
      return;
    }
    member.syncing = answer;
    if (id === this.#leader) this.#assign(assignments);
  }

  heartbeat(id: string, generation: number): string {
    this.requests++;
    const error = this.#refusal(id, generation);
    if (error !== undefined) return error;
    this.#hear(id);
    return this.#state === 'preparing' ? 'REBALANCE_IN_PROGRESS' : 'NONE';
  }

  leave(id: string): string {
    this.requests++;
    if (this.#pending.delete(id)) return 'NONE';
    if (!this.#members.has(id)) return 'UNKNOWN_MEMBER_ID';
    this.#remove(id);
    return 'NONE';
  }

  /** Another broker takes over: it knows what was written, and nothing of what was going on. */
  failOver(): void {
    const { generation, leader, members } = this.#written;
    this.#rebalance++;
    this.#generation = generation;
    this.#leader = leader;
    this.#pending = new Set();
    this.#state = members.length > 0 ? 'stable' : 'empty';
    const { now } = this.#time;
    this.#members = new Map(members.map(member => [member.id, { ...member, heardAt: now }]));
    for (const { id } of members) this.#watch(id);
  }

  #refusal(id: string, generation: number): string | undefined {
    if (!this.#members.has(id)) return 'UNKNOWN_MEMBER_ID';
    return generation === this.#generation ? undefined : 'ILLEGAL_GENERATION';
  }

  #joined(id: string): JoinedGroup {
    const isLeader = id === this.#leader;
    const members = [...this.#members.values()].map(({ id, metadata }) => ({
      ...{ memberId: id, instanceId: undefined, metadata },
    }));
    return {
      ...{ error: 'NONE', generation: this.#generation, protocol: 'p', leaderId: this.#leader, memberId: id },
      members: isLeader ? members : [],
    };
  }

  #hear(id: string): void {
    const member = this.#members.get(id);
    if (member) member.heardAt = this.#time.now;
  }

  /** Who waits for the group's answer is not expected to be heard. */
  #watch(id: string): void {
    const { sessionTimeoutMs } = this.#settings;
    const member = this.#members.get(id);
    if (member === undefined) return;
    const expiresAt = member.heardAt + sessionTimeoutMs;
    const isWaiting = member.joining !== undefined || member.syncing !== undefined;
    if (!isWaiting && this.#time.now >= expiresAt) this.#remove(id);
    else
      this.#time.at(Math.max(expiresAt, this.#time.now + (isWaiting ? sessionTimeoutMs / 4 : 0)), () =>
        this.#watch(id),
      );
  }

  #remove(id: string): void {
    this.#members.delete(id);
    if (this.#state === 'preparing') this.#completeJoins();
    else if (this.#state !== 'empty') this.#prepare();
  }

  #prepare(): void {
    const { initialDelayMs, rebalanceTimeoutMs } = this.#settings;
    for (const member of this.#members.values()) {
      member.syncing?.({ error: 'REBALANCE_IN_PROGRESS', assignment: none });
      member.syncing = undefined;
    }
    const wasEmpty = this.#state === 'empty';
    this.#state = 'preparing';
    const rebalance = ++this.#rebalance;
    this.#joinsUntil = this.#time.now + (wasEmpty ? initialDelayMs : rebalanceTimeoutMs);
    this.#time.at(this.#joinsUntil, () => {
      if (rebalance === this.#rebalance) this.#complete();
    });
    if (!wasEmpty) this.#completeJoins();
    else this.#isDelayed = rebalance;
  }

  #isDelayed = 0;

  #completeJoins(): void {
    if (this.#state !== 'preparing' || this.#isDelayed === this.#rebalance) return;
    const isMissing = [...this.#members.values()].some(({ joining }) => joining === undefined);
    if (!isMissing && this.#pending.size === 0) this.#complete();
  }

  #complete(): void {
    this.#rebalance++;
    for (const { id, joining } of [...this.#members.values()]) if (joining === undefined) this.#members.delete(id);
    this.#generation++;
    this.rounds++;
    if (this.#members.size === 0) {
      this.#state = 'empty';
      this.#write();
      return;
    }
    this.#state = 'completing';
    if (!this.#members.has(this.#leader)) this.#leader = [...this.#members.keys()][0] ?? '';
    for (const member of [...this.#members.values()]) {
      const { joining } = member;
      member.joining = undefined;
      member.heardAt = this.#time.now;
      joining?.(this.#joined(member.id));
    }
  }

  #assign(assignments: Assignments): void {
    this.#state = 'stable';
    const parts = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]));
    for (const member of this.#members.values()) member.assignment = parts.get(member.id) ?? none;
    this.#write();
    for (const member of this.#members.values()) {
      const { syncing, assignment } = member;
      member.syncing = undefined;
      member.heardAt = syncing === undefined ? member.heardAt : this.#time.now;
      syncing?.({ error: 'NONE', assignment });
    }
  }

  #write(): void {
    const members = [...this.#members.values()].map(member => ({ ...member, joining: undefined, syncing: undefined }));
    this.#written = { generation: this.#generation, leader: this.#leader, members };
    for (const { metadata, assignment } of members) this.writtenBytes += metadata.length + assignment.length + 60;
  }
}

const refused = (error: string, memberId: string): JoinedGroup => ({
  ...{ error, generation: -1, protocol: '', leaderId: '', memberId, members: [] },
});
