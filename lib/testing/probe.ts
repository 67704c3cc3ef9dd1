import type { Json } from '../checkpoint/manifest.ts';
import { DataStream, type KeyOrNone } from '../stream/data-stream.ts';
import { type Barrier, type Mark, Rest, StreamRecord, Watermark } from '../stream/elements.ts';
import { PassStage } from '../stream/stage.ts';
import type { Sink, SinkWriter } from '../task/sink.ts';

/** What a test sees, with the virtual time in ms at which it came. */
export interface Seen {
  readonly frame: number;
  readonly element: StreamRecord<unknown> | Watermark | Barrier | 'complete' | { readonly error: unknown };
}

/** Shows every element of a stream to `see`, and passes it on. */
export function probe(
  stream: DataStream<unknown, KeyOrNone>,
  see: (element: Seen['element']) => void,
): DataStream<unknown, KeyOrNone> {
  const { node } = stream;
  return new DataStream({
    kind: 'native',
    inputs: [node],
    isKeyed: node.isKeyed,
    sides: [],
    wire(wiring, out) {
      class ProbeStage extends PassStage<unknown, unknown> {
        next(value: unknown): void {
          see(new StreamRecord(value, this.scope.timestamp, this.scope.key));
          this.out.next(value);
        }

        override mark(mark: Mark): void {
          const isSeen = mark instanceof Watermark ? Number.isFinite(mark.timestamp) : !(mark instanceof Rest);
          if (isSeen) see(mark as Watermark | Barrier);
          this.out.mark(mark);
        }

        override complete(): void {
          see('complete');
          this.out.complete();
        }
      }
      wiring.connect(node, new ProbeStage(wiring.scope, out));
    },
  });
}

/** A sink that makes values visible when the checkpoint that covers them is committed, as exactly-once sinks do. */
export function committedSink(name: string, see: (value: StreamRecord<unknown>) => void): Sink<unknown> {
  return {
    kind: 'probe',
    name,
    guarantee: 'exactly-once',
    open(): SinkWriter<unknown> {
      let current: StreamRecord<unknown>[] = [];
      let lined: StreamRecord<unknown>[] = [];
      return {
        restore() {},
        write(value, timestamp, key) {
          current.push(new StreamRecord(value, timestamp, key));
        },
        barrier() {
          lined = [...lined, ...current];
          current = [];
        },
        flush: (): Json => null,
        commit() {
          const values = lined;
          lined = [];
          for (const value of values) see(value);
        },
        abandon() {},
        close() {},
      };
    },
  };
}
