// The same results from a plain loop, independent of Tidemark: what the job is checked against.
import { paymentAt } from './payments.ts';

/** The lines of `totals.jsonl`. */
export function expectedTotals(seed: number, payments: number): string[] {
  const spent = new Map<string, number[]>();
  const lines: string[] = [];
  for (let n = 0; n < payments; n++) {
    const { card, cents } = paymentAt(seed, n);
    if (cents <= 0) continue;
    const [count = 0, sum = 0] = spent.get(card) ?? [];
    spent.set(card, [count + 1, sum + cents]);
    lines.push(`{"card":"${card}","payments":${count + 1},"cents":${sum + cents}}`);
  }
  return lines;
}
