/** Keys of a large state. */
export const manyKeys = 1_000_000;

export interface Payment {
  readonly account: string;
  readonly cents: number;
}

/** A payment to account `n`, as a source makes it: a new object with a key string of its own, in no order that compresses well. */
export function payment(n: number): Payment {
  return { account: `account-${(n * 7_919) % manyKeys}`, cents: (n * 48_271) % 1_000_003 };
}
