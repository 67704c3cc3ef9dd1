import { Draws } from '../../draws.ts';

// What Nexmark's people are called and where they live. States and cities are drawn apart, as there.
const firstNames = ['Peter', 'Paul', 'Luke', 'John', 'Saul', 'Vicky', 'Kate', 'Julie', 'Sarah', 'Deiter', 'Walter'];
const lastNames = ['Shultz', 'Abrams', 'Spencer', 'White', 'Bartels', 'Walton', 'Smith', 'Jones', 'Noris'];
export const states = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'] as const;
export const cities = [
  'Phoenix',
  'Los Angeles',
  'San Francisco',
  'Boise',
  'Portland',
  'Bend',
  'Redmond',
  'Seattle',
  'Kent',
  'Cheyenne',
] as const;

/** Letters that all texts are cut from: cutting costs the same for any length. */
const letters = (() => {
  const draws = new Draws(1);
  draws.begin(0);
  return Array.from({ length: 1 << 15 }, () => String.fromCharCode(97 + draws.below(26))).join('');
})();

/** A text of `length` letters, at most some thousands. */
export function word(draws: Draws, length: number): string {
  const at = draws.below(letters.length - length);
  return letters.slice(at, at + length);
}

/** What fills a record of `size` bytes up to `average`, give or take a fifth of what is missing. */
export function filling(draws: Draws, size: number, average: number): string {
  const missing = average - size;
  if (missing <= 0) return '';
  const spread = Math.round(missing * 0.2);
  return word(draws, missing - spread + draws.below(2 * spread + 1));
}

export const oneOf = (draws: Draws, list: readonly string[]): string => list[draws.below(list.length)] as string;

export const personName = (draws: Draws): string => `${oneOf(draws, firstNames)} ${oneOf(draws, lastNames)}`;

export function cardNumber(draws: Draws): string {
  let text = digits(draws);
  for (let group = 1; group < 4; group++) text += ` ${digits(draws)}`;
  return text;
}

const digits = (draws: Draws): string => String(draws.below(10_000)).padStart(4, '0');
