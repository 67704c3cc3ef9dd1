import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SendWindow, type Slot } from '../../../../connectors/kafka/produce/send-window.ts';
import { sequenceAfter } from '../../../../connectors/kafka/produce/sequence.ts';
import { lost, produceVerdict } from '../../../../connectors/kafka/produce/verdict.ts';

interface Batch {
  readonly id: number;
  readonly recordCount: number;
}

/** One partition's leader as Kafka's `ProducerStateManager` has it: five batches back, any number is the first. */
class Broker {
  readonly log: number[] = [];
  #next: number | undefined;
  #recent: { readonly first: number; readonly count: number }[] = [];

  take({ batch, baseSequence: first }: { readonly batch: Batch; readonly baseSequence: number }): string {
    const count = batch.recordCount;
    if (this.#recent.some(known => known.first === first && known.count === count)) return 'NONE';
    if (this.#next !== undefined && first !== this.#next) return 'OUT_OF_ORDER_SEQUENCE_NUMBER';
    this.log.push(batch.id);
    this.#next = sequenceAfter(first, count);
    this.#recent = [...this.#recent.slice(-4), { first, count }];
    return 'NONE';
  }
}

interface Request {
  readonly slot: Slot<Batch>;
  /** As it was when it was sent. */
  readonly sent: { readonly batch: Batch; readonly baseSequence: number };
  /** The client was told of an answer, or that there will be none. */
  isSettled: boolean;
}

/** What is written on one connection; the broker reads it in order, perhaps after the client has given it up. */
interface Connection {
  readonly requests: Request[];
  /** Written, and not settled. */
  readonly unsettled: Request[];
  isCut: boolean;
}

class Client {
  readonly window: SendWindow<Batch>;
  readonly broker = new Broker();
  readonly connections: Connection[] = [];
  written = 0;

  constructor(limit: number, firstSequence: number) {
    this.window = new SendWindow(limit, firstSequence);
  }

  write(recordCount: number): void {
    this.window.add({ id: this.written++, recordCount });
  }

  send(): void {
    const slot = this.window.next();
    if (!slot) return;
    let connection = this.connections.at(-1);
    if (!connection || connection.isCut) {
      connection = { requests: [], unsettled: [], isCut: false };
      this.connections.push(connection);
    }
    const sent = { batch: slot.batch, baseSequence: slot.baseSequence };
    const request = { slot, sent, isSettled: false };
    connection.requests.push(request);
    connection.unsettled.push(request);
  }

  /** The broker handles the next request of a connection; what comes on one that is cut is answered to nobody. */
  serve(connection: Connection, answer: 'own' | 'refuse' | 'fail after append'): void {
    const request = connection.requests.shift();
    if (!request) return;
    let name = answer === 'refuse' ? 'NOT_LEADER_OR_FOLLOWER' : this.broker.take(request.sent);
    if (answer === 'fail after append' && name === 'NONE') name = 'NOT_ENOUGH_REPLICAS_AFTER_APPEND';
    if (!connection.isCut && !request.isSettled) this.#settle(connection, request, name);
  }

  /** The connection breaks: the client will hear of it later, the broker may still read what was written, or not. */
  cut(kept: number): void {
    const connection = this.connections.at(-1);
    if (!connection) return;
    connection.isCut = true;
    connection.requests.length = Math.min(connection.requests.length, kept);
  }

  /** The client hears that a connection is cut. */
  notice(): void {
    for (const connection of this.connections) {
      if (!connection.isCut) continue;
      for (const request of [...connection.unsettled]) this.#settle(connection, request, lost);
    }
  }

  #settle(connection: Connection, request: Request, name: string): void {
    request.isSettled = true;
    connection.unsettled.splice(connection.unsettled.indexOf(request), 1);
    const verdict = produceVerdict(name, this.window.isOldest(request.slot));
    if (verdict === 'done') this.window.acknowledged(request.slot);
    else if (verdict.startsWith('again')) this.window.again(request.slot);
    else throw new Error(`${name} for batch ${request.slot.batch.id}, which was ${verdict}`);
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ write: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 6, arbitrary: fc.constant('send' as const) },
  {
    weight: 6,
    arbitrary: fc.record({
      serve: fc.nat({ max: 3 }),
      answer: fc.constantFrom('own' as const, 'own' as const, 'refuse' as const, 'fail after append' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ cut: fc.nat({ max: 6 }) }) },
  { weight: 1, arbitrary: fc.constant('notice' as const) },
);

test('whatever is lost, late or refused, the broker has each batch once and in order', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(0, 2 ** 31 - 4),
      fc.array(step, { maxLength: 120, size: 'max' }),
      (limit, firstSequence, steps) => {
        const client = new Client(limit, firstSequence);
        for (const taken of steps) {
          if (taken === 'send') client.send();
          else if (taken === 'notice') client.notice();
          else if ('write' in taken) client.write(taken.write);
          else if ('cut' in taken) client.cut(taken.cut);
          else {
            const connection = client.connections.at(-1 - taken.serve);
            if (connection) client.serve(connection, taken.answer);
          }
        }
        for (let round = 0; !client.window.isEmpty; round++) {
          expect(round).toBeLessThan(1_000);
          client.notice();
          client.send();
          for (const connection of client.connections)
            while (connection.requests.length) client.serve(connection, 'own');
        }
        expect(client.broker.log).toEqual(Array.from({ length: client.written }, (_, i) => i));
      },
    ),
    { numRuns: 1_000 },
  );
});
