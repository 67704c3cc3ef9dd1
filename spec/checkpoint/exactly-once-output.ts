import { FencedError, type Json, type Sink, type SinkWriter } from '../../lib/index.ts';

/** How the next flush or commit fares; `half`: a part is made visible, then it fails. */
export const sinkFaults = ['refuses', 'half', 'loses the answer', 'dies before', 'dies after', 'dies halfway'] as const;
export type SinkFault = (typeof sinkFaults)[number];

interface Handle {
  readonly offset: number;
  readonly values: readonly string[];
}

/** A process that writes; once it is dead nothing that it does has an effect. */
export interface Mortal {
  isDead: boolean;
}

/**
 * What an exactly-once sink has made visible, which outlives every process. As with files, a handle says what stands at which
 * place, so to apply one again changes nothing.
 */
export class ExactlyOnceOutput {
  readonly visible: string[] = [];
  /** What must never happen, in words. */
  readonly violations: string[] = [];
  readonly flushFaults: SinkFault[] = [];
  readonly commitFaults: SinkFault[] = [];
  readonly name: string;
  private newestToken = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** The sink as one process has it. */
  sink(process: Mortal): Sink<string> {
    return {
      kind: 'memory',
      name: this.name,
      guarantee: 'exactly-once',
      open: ({ token }) => this.writer(process, token),
    };
  }

  private writer(process: Mortal, token: number): SinkWriter<string> {
    let end = 0;
    let open: string[] = [];
    /** Behind a barrier, and not committed. */
    let closed: string[] = [];
    return {
      restore: from => {
        if (process.isDead) return;
        if (token < this.newestToken) throw new FencedError(`the output ${this.name} was taken over`);
        this.newestToken = token;
        if (!from) return;
        const handle = from.handle as unknown as Handle;
        this.apply(handle, handle.values.length);
        end = handle.offset + handle.values.length;
        if (this.visible.length > end) {
          this.violations.push(`${this.visible.length} are visible, checkpoint ${from.id} covers ${end}`);
        }
      },
      write: value => {
        open.push(value);
      },
      barrier: () => {
        closed = [...closed, ...open];
        open = [];
      },
      flush: () =>
        this.step(process, this.flushFaults, () => {}, { offset: end, values: closed } satisfies Handle as Json),
      commit: (_, json) => {
        const handle = json as unknown as Handle;
        const apply = (count = handle.values.length) => this.apply(handle, count);
        const done = this.step(process, this.commitFaults, apply, undefined, handle.values.length);
        end = handle.offset + handle.values.length;
        closed = closed.slice(handle.values.length);
        return done;
      },
      abandon() {},
      close() {},
    };
  }

  private step<R>(
    process: Mortal,
    faults: SinkFault[],
    work: (count?: number) => void,
    answer: R,
    count = 0,
  ): R | Promise<R> {
    if (process.isDead) return never;
    const fault = faults.shift();
    const half = Math.ceil(count / 2);
    if (fault === 'dies before') process.isDead = true;
    else if (fault === 'dies halfway' || fault === 'half') work(half);
    else if (fault !== 'refuses') work();
    if (fault?.startsWith('dies')) {
      process.isDead = true;
      return never;
    }
    if (fault !== undefined) throw new Error(`the sink ${fault}`);
    return answer;
  }

  private apply({ offset, values }: Handle, count: number): void {
    if (offset > this.visible.length) this.violations.push(`a gap from ${this.visible.length} to ${offset}`);
    for (const [i, value] of values.slice(0, count).entries()) {
      const there = this.visible[offset + i];
      if (there !== undefined && there !== value) this.violations.push(`${there} became ${value} at ${offset + i}`);
      this.visible[offset + i] = value;
    }
  }
}

const never: Promise<never> = new Promise(() => {});
