import { actor, type Side, side } from 'tidemark';
import type { CardRecord, Payment } from './records.ts';

export interface Alert {
  /**
   * `probed`: a large payment less than a minute after a small one. `many`: too many payments in a minute. `unconfirmed`: a
   * payment above 1,000 euros that was not confirmed within a minute.
   */
  readonly rule: 'probed' | 'many' | 'unconfirmed';
  readonly card: string;
  /** Of the payment. */
  readonly id: number;
  /** When the payment was made. */
  readonly at: number;
}

export const alerts: Side<Alert> = side<Alert>('alerts');

export interface RulesOptions {
  /** More payments of a card than this in a minute are too many. */
  readonly maxPerMinute: number;
}

/** What is remembered of a card until a minute after its last payment. */
interface Recent {
  /** When it paid, in the last minute. */
  payments: number[];
  /** When it paid less than a euro, last. */
  smallAt: number | null;
  /** What is to be confirmed. */
  unconfirmed: { readonly id: number; readonly at: number }[];
}

const minute = 60_000;
const small = 100;
const large = 50_000;
const toBeConfirmed = 100_000;

/**
 * Passes the payments of a card that break no rule when they are made; what breaks one becomes an alert at the side.
 *
 * A timer a minute behind each payment forgets it, and raises the alert when it had to be confirmed and was not. Times are
 * compared where they decide, too: a timer waits for the watermark, which comes later than the time that it names.
 */
export const fraudRules = ({ maxPerMinute }: RulesOptions) =>
  actor<CardRecord, Recent, Payment, string>('rules', {
    sides: [alerts],
    initial: () => ({ payments: [], smallAt: null, unconfirmed: [] }),
    receive(recent, record, ctx) {
      const { id, card, at } = record;
      if (record.kind === 'confirmation') {
        recent.unconfirmed = recent.unconfirmed.filter(payment => payment.id !== id || at > payment.at + minute);
        return;
      }
      recent.payments = [...recent.payments.filter(time => time > at - minute), at];
      const isMany = recent.payments.length > maxPerMinute;
      const isProbed = record.cents >= large && recent.smallAt !== null && at - recent.smallAt < minute;
      if (isMany) ctx.side(alerts, { rule: 'many', card, id, at });
      if (isProbed) ctx.side(alerts, { rule: 'probed', card, id, at });
      if (!isMany && !isProbed) ctx.emit(record);
      if (record.cents < small) recent.smallAt = at;
      if (record.cents > toBeConfirmed) recent.unconfirmed.push({ id, at });
      // One ms later than a minute: what is exactly a minute old has its time.
      ctx.timers.atEventTime(at + minute + 1);
    },
    onTimer(recent, time, ctx) {
      const before = time - minute;
      for (const { id, at } of recent.unconfirmed) {
        if (at < before) ctx.side(alerts, { rule: 'unconfirmed', card: ctx.key, id, at });
      }
      recent.unconfirmed = recent.unconfirmed.filter(({ at }) => at >= before);
      recent.payments = recent.payments.filter(at => at >= before);
      if (recent.payments.length === 0) ctx.forget();
    },
  });
