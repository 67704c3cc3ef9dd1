import { z } from 'zod';

// Parameters come from the command line as texts. Each error says what is accepted.

export function wholeNumber(min = Number.MIN_SAFE_INTEGER) {
  const error = min === Number.MIN_SAFE_INTEGER ? 'give a whole number' : `give a whole number of at least ${min}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error });
}

export function positiveNumber() {
  const error = 'give a number above 0';
  return z.coerce.number({ error }).positive({ error });
}
