import { type Source, SourcePositionError } from 'tidemark';
import { type Payment, paymentAt } from './payments.ts';

export interface GeneratedPayments {
  readonly seed: number;
  /** How many. */
  readonly payments: number;
}

/** What a checkpoint keeps. */
interface Position {
  readonly seed: number;
  /** The next payment. */
  readonly next: number;
}

const batchSize = 500;

/** A source that needs no service: payments that a seed fixes, so any position can be read again. */
export function generatedPayments({ seed, payments }: GeneratedPayments): Source<Payment> {
  return {
    kind: 'generator',
    name: 'payments',
    bounded: true,
    embedded: true,
    open(position, context) {
      const restored = position as Position | undefined;
      if (restored && restored.seed !== seed) {
        throw new SourcePositionError(
          `The checkpoint belongs to the payments of seed ${restored.seed}, and the job was started with seed ${seed}. ` +
            `Start it with --set seed=${restored.seed}, or with --fresh.`,
        );
      }
      let next = restored?.next ?? 0;
      let isReading = false;
      let timer: NodeJS.Immediate | undefined;
      const give = (): void => {
        timer = undefined;
        const batch: Payment[] = [];
        while (batch.length < batchSize && next < payments) batch.push(paymentAt(seed, next++));
        if (batch.length > 0) {
          context.batch(
            batch,
            batch.map(payment => payment.at),
          );
        }
        if (!isReading) return;
        if (next >= payments) context.complete();
        else timer = setImmediate(give);
      };
      const read = (): void => {
        isReading = true;
        timer ??= setImmediate(give);
      };
      const rest = (): void => {
        isReading = false;
        clearImmediate(timer);
        timer = undefined;
      };
      return {
        start: read,
        position: () => ({ seed, next }),
        pause: rest,
        resume: read,
        progress: () => (payments === 0 ? 1 : next / payments),
        close: rest,
      };
    },
  };
}
