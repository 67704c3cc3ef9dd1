/** A payment by card. */
export interface Payment {
  readonly kind: 'payment';
  readonly id: number;
  readonly card: string;
  readonly cents: number;
  /** ms since 1970. */
  readonly at: number;
}

/** The holder of the card has confirmed a payment. */
export interface Confirmation {
  readonly kind: 'confirmation';
  /** Of the payment. */
  readonly id: number;
  readonly card: string;
  readonly at: number;
}

export type CardRecord = Payment | Confirmation;

/** What a line of the input says. Throws an `Error` that tells why a line says nothing. */
export function parseRecord(line: string): CardRecord {
  const { kind, id, card, cents, at } = fieldsOf(line);
  if (!isWhole(id)) throw new Error('it has no id');
  if (typeof card !== 'string' || card === '') throw new Error('it names no card');
  if (!isWhole(at)) throw new Error('it has no time');
  if (kind === 'confirmation') return { kind, id, card, at };
  if (kind !== 'payment') throw new Error('it is neither a payment nor a confirmation');
  if (!isWhole(cents)) throw new Error('it has no amount in whole cents');
  return { kind, id, card, cents, at };
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error('it is no JSON');
  }
  if (typeof value !== 'object' || value === null) throw new Error('it is no object');
  return value as Record<string, unknown>;
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
