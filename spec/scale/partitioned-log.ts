import type { Key, Source, TaskShare, TaskShareListener, TaskSharing } from '../../lib/index.ts';

export interface Keyed {
  readonly key: string;
  readonly n: number;
}

/** Members of a group that assigns task t to the member number t mod members, and moves with a last checkpoint. */
export class MemoryGroup {
  readonly members = new Map<TaskShareListener, Set<number>>();
  readonly log: string[] = [];
  tasks = 0;
  generation = 0;
  #turn: Promise<void> = Promise.resolve();

  join(tasks: number, listener: TaskShareListener): TaskShare {
    this.tasks = tasks;
    this.members.set(listener, new Set());
    void this.rebalance();
    return {
      close: async () => {
        await listener.revoked([...(this.members.get(listener) ?? [])], 60_000);
        this.members.delete(listener);
        await this.rebalance();
      },
    };
  }

  /** The group has not heard of this member: its tasks go to others at once. */
  async lose(listener: TaskShareListener): Promise<void> {
    this.members.delete(listener);
    await this.rebalance();
  }

  rebalance(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      this.generation++;
      const members = [...this.members];
      const wanted = members.map(() => new Set<number>());
      for (let task = 0; task < this.tasks; task++) wanted[task % members.length]?.add(task);
      await Promise.all(
        members.map(async ([listener, held], at) => {
          const given = [...held].filter(task => !wanted[at]?.has(task));
          if (given.length === 0) return;
          await listener.revoked(given, 60_000);
          for (const task of given) held.delete(task);
        }),
      );
      for (const [at, [listener, held]] of members.entries()) {
        if (!this.members.has(listener)) continue;
        const added = [...(wanted[at] ?? [])].filter(task => !held.has(task));
        for (const task of added) held.add(task);
        listener.assigned(added, this.generation);
      }
    });
    return this.#turn;
  }
}

export interface LogOptions {
  readonly partitions: number;
  /** Which partition a key is in. */
  readonly partitionOf?: (key: Key) => number;
}

/** A topic in memory: partitions of records that any number of readers read, bounded or not. */
export class PartitionedLog {
  readonly group = new MemoryGroup();
  readonly #partitions: Keyed[][];
  readonly #readers = new Set<() => void>();
  readonly #options: LogOptions;
  isEnded = false;
  count: number;

  constructor(options: LogOptions) {
    this.#options = options;
    this.count = options.partitions;
    this.#partitions = Array.from({ length: options.partitions }, () => []);
  }

  append(partition: number, ...records: readonly Keyed[]): void {
    this.#partitions[partition]?.push(...records);
    for (const wake of this.#readers) wake();
  }

  end(): void {
    this.isEnded = true;
    for (const wake of this.#readers) wake();
  }

  source(): Source<Keyed> {
    const { partitionOf } = this.#options;
    const sharing: TaskSharing = {
      shape: async maxTasks => ({ tasks: Math.min(maxTasks, this.count), partitions: { log: this.count } }),
      join: ({ tasks, listener }) => this.group.join(tasks, listener),
    };
    return {
      kind: 'log',
      name: 'log',
      bounded: false,
      spread: {
        where: 'memory',
        topics: ['log'],
        sharing: () => sharing,
        ...(partitionOf ? { taskOf: (key: Key, count: number) => partitionOf(key) % count } : {}),
      },
      open: (position, context) => {
        const { slice } = context;
        const mine = this.#partitions.flatMap((records, partition) =>
          slice === undefined || partition % slice.count === slice.index ? [{ records, partition }] : [],
        );
        const at = new Map(mine.map(({ partition }) => [partition, Number((position as number[])?.[partition] ?? 0)]));
        let isPaused = false;
        let isOver = false;
        const read = () => {
          if (isPaused || isOver) return;
          for (const { records, partition } of mine) {
            const from = at.get(partition) ?? 0;
            const batch = records.slice(from);
            at.set(partition, from + batch.length);
            if (batch.length > 0) context.batch(batch);
          }
          if (this.isEnded && mine.every(({ records, partition }) => at.get(partition) === records.length)) {
            isOver = true;
            context.complete();
          }
        };
        const wake = () => queueMicrotask(read);
        return {
          start: () => {
            this.#readers.add(wake);
            wake();
          },
          position: () => Array.from({ length: this.count }, (_, partition) => at.get(partition) ?? 0),
          pause: () => {
            isPaused = true;
          },
          resume: () => {
            isPaused = false;
            wake();
          },
          close: () => {
            isOver = true;
            this.#readers.delete(wake);
          },
        };
      },
    };
  }
}
