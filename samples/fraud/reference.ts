// The same results from plain loops over the whole input, independent of Tidemark: what the job is checked against.
import { lineMaker } from './generated-lines.ts';

interface Row {
  readonly kind: 'payment' | 'confirmation';
  readonly id: number;
  readonly card: string;
  readonly cents: number;
  readonly at: number;
}

/** The lines of each output; those of `alerts` in any order. */
export interface Expected {
  readonly accepted: readonly string[];
  readonly alerts: readonly string[];
  readonly broken: readonly string[];
}

export function expectedOf(seed: number, count: number, maxPerMinute = 5): Expected {
  const lineOf = lineMaker(seed);
  const lines = Array.from({ length: count }, (_, n) => lineOf(n));
  const reasons = lines.map(reasonOf);
  const rows = lines.filter((_, n) => reasons[n] === undefined).map(line => JSON.parse(line) as Row);
  const alerts: string[] = [];
  const stopped = new Set<number>();
  for (const ofCard of Map.groupBy(rows, ({ card }) => card).values()) {
    for (const payment of ofCard.filter(({ kind }) => kind === 'payment')) {
      const { card, id, at } = payment;
      for (const rule of brokenRules(payment, ofCard, maxPerMinute)) {
        alerts.push(`{"rule":"${rule}","card":"${card}","id":${id},"at":${at}}`);
        if (rule !== 'unconfirmed') stopped.add(id);
      }
    }
  }
  const accepted = rows
    .filter(({ kind, id }) => kind === 'payment' && !stopped.has(id))
    .map(payment => JSON.stringify(payment));
  const broken = lines.flatMap((line, n) =>
    reasons[n] === undefined ? [] : `{"line":${JSON.stringify(line)},"error":"${reasons[n]}"}`,
  );
  return { accepted, alerts, broken };
}

function brokenRules(payment: Row, ofCard: readonly Row[], maxPerMinute: number): string[] {
  const minute = 60_000;
  const before = ofCard.filter(
    ({ kind, id, at }) => kind === 'payment' && id <= payment.id && at > payment.at - minute,
  );
  const rules: string[] = [];
  if (before.length > maxPerMinute) rules.push('many');
  if (payment.cents >= 50_000 && before.some(({ id, cents }) => id !== payment.id && cents < 100)) rules.push('probed');
  const isConfirmed = ofCard.some(
    ({ kind, id, at }) => kind === 'confirmation' && id === payment.id && at <= payment.at + minute,
  );
  if (payment.cents > 100_000 && !isConfirmed) rules.push('unconfirmed');
  return rules;
}

/** Why a line cannot be read; the generator breaks lines in these ways. */
function reasonOf(line: string): string | undefined {
  if (!line.endsWith('}')) return 'it is no JSON';
  if (line.includes('"card":null')) return 'it names no card';
  if (line.startsWith('{"type"')) return 'it is neither a payment nor a confirmation';
  return line.includes(' EUR"') ? 'it has no amount in whole cents' : undefined;
}
