import type {
  Channel,
  ChannelRequest,
  Key,
  Packed,
  Source,
  TaskShare,
  TaskShareListener,
  TaskSharing,
} from '../../lib/index.ts';

export interface Keyed {
  readonly key: string;
  readonly n: number;
}

/** Members of a group that assigns task t to the member number t mod members, and moves with a last checkpoint. */
export class MemoryGroup {
  readonly members = new Map<TaskShareListener, Set<number>>();
  /** Of each that has closed its membership, whether that was for good. */
  readonly left: boolean[] = [];
  tasks = 0;
  generation = 0;
  #turn: Promise<void> = Promise.resolve();

  join(tasks: number, listener: TaskShareListener): TaskShare {
    this.tasks = tasks;
    this.members.set(listener, new Set());
    void this.rebalance();
    return {
      giveBack: tasks => {
        for (const task of tasks) this.members.get(listener)?.delete(task);
        void this.rebalance();
      },
      close: async ({ isForGood = false } = {}) => {
        this.left.push(isForGood);
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
  readonly partitionOf?: (key: Key, partitions: number) => number;
}

/** A topic in memory: partitions of records that any number of readers read, bounded or not. */
export class PartitionedLog {
  /** That of the first job that reads it; others have their own. */
  readonly group = new MemoryGroup();
  readonly #groups = new Map<string, MemoryGroup>();
  readonly #partitions: Keyed[][];
  readonly #readers = new Set<() => void>();
  readonly #options: LogOptions;
  readonly channels = new Map<string, MemoryChannel>();
  isEnded = false;
  count: number;

  constructor(options: LogOptions) {
    this.#options = options;
    this.count = options.partitions;
    this.#partitions = Array.from({ length: options.partitions }, () => []);
  }

  /** Adds partitions up to so many; readers that are open do not see them. */
  grow(partitions: number): void {
    while (this.#partitions.length < partitions) this.#partitions.push([]);
    this.count = partitions;
  }

  #groupOf(name: string): MemoryGroup {
    const group = this.#groups.get(name) ?? (this.#groups.size === 0 ? this.group : new MemoryGroup());
    this.#groups.set(name, group);
    return group;
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
    const sharing = (group: string): TaskSharing => ({
      shape: async maxTasks => ({ tasks: Math.min(maxTasks, this.count), partitions: { log: this.count } }),
      join: ({ tasks, listener }) => this.#groupOf(group).join(tasks, listener),
    });
    return {
      kind: 'log',
      name: 'log',
      bounded: false,
      spread: {
        where: 'memory',
        topics: ['log'],
        sharing: ({ group }) => sharing(group),
        respread: positions => {
          const joined: number[] = [];
          for (const position of positions as number[][]) {
            for (const [partition, at] of position.entries()) joined[partition] = Math.max(joined[partition] ?? 0, at);
          }
          return {
            partitions: { log: joined.length },
            of: ({ index, count }) => joined.map((at, partition) => (partition % count === index ? at : 0)),
            backlog: async () =>
              joined.flatMap((at, partition) => {
                const records = (this.#partitions[partition]?.length ?? 0) - at;
                return records > 0 ? [{ partition: `log-${partition}`, records }] : [];
              }),
          };
        },
        channel: request => {
          const { job, name, spread } = request;
          const incarnation = spread === undefined ? name : `${job}.${name}.${spread}`;
          const channel = this.channels.get(incarnation) ?? new MemoryChannel(request);
          this.channels.set(incarnation, channel);
          return channel.to();
        },
        ...(partitionOf ? { taskOf: (key: Key, count: number, { log = 1 }) => partitionOf(key, log) % count } : {}),
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

/** A channel between tasks whose records are there once the checkpoint of the task that wrote them is. */
export class MemoryChannel {
  readonly partitions: Uint8Array[][];
  readonly forgotten: (readonly number[])[] = [];
  /** Where each partition begins: what lies before was forgotten. */
  readonly #beginnings: number[] = [];
  readonly #request: ChannelRequest;
  readonly #readers = new Set<() => void>();
  /** The last checkpoint of each task whose output is in. */
  readonly #applied = new Map<string, number>();

  constructor(request: ChannelRequest) {
    this.#request = request;
    this.partitions = Array.from({ length: request.tasks }, () => []);
  }

  to(): Channel {
    const { name, tasks } = this.#request;
    return {
      location: name,
      taskOf: key => [...String(key)].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % tasks,
      prepare: async () => {},
      ends: async () => this.partitions.map(({ length }) => length),
      forget: async ends => {
        this.forgotten.push(ends);
        for (const [partition, end] of ends.entries()) this.#beginnings[partition] = end;
        this.#applied.clear();
      },
      sink: {
        kind: 'channel',
        name: `repartition:${name}`,
        guarantee: 'exactly-once',
        open: ({ task }) => {
          let current: Packed[] = [];
          let lined: Packed[] = [];
          // The handle is the output itself: applied again after a crash, but once.
          const apply = (id: number, handle: unknown) => {
            if ((this.#applied.get(task) ?? 0) >= id) return;
            this.#applied.set(task, id);
            for (const [to, bytes] of handle as [number, string][]) {
              this.partitions[to]?.push(Buffer.from(bytes, 'base64'));
            }
            for (const wake of this.#readers) wake();
          };
          return {
            restore: from => from && apply(from.id, from.handle),
            write: packed => void current.push(packed),
            barrier() {
              lined = [...lined, ...current];
              current = [];
            },
            flush: () => lined.map(({ to, bytes }) => [to, Buffer.from(bytes).toString('base64')]),
            commit(id, handle) {
              lined = [];
              apply(id, handle);
            },
            abandon() {},
            close() {},
          };
        },
      },
      source: {
        kind: 'channel',
        name: `repartition:${name}`,
        bounded: false,
        open: (position, context) => {
          const partition = context.slice?.index ?? 0;
          const records = this.partitions[partition] ?? [];
          let at = Math.max((position as number | undefined) ?? 0, this.#beginnings[partition] ?? 0);
          let isPaused = false;
          const read = () => {
            if (isPaused || at === records.length) return;
            const batch = records.slice(at);
            at = records.length;
            context.batch(batch);
          };
          const wake = () => queueMicrotask(read);
          return {
            start: () => {
              this.#readers.add(wake);
              wake();
            },
            position: () => at,
            pause: () => {
              isPaused = true;
            },
            resume: () => {
              isPaused = false;
              wake();
            },
            close: () => {
              isPaused = true;
              this.#readers.delete(wake);
            },
          };
        },
      },
    };
  }
}
