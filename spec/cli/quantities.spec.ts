import { describe, expect, it } from 'vitest';
import { bytes, count, counted, duration, percent, timeOfDay } from '../../cli/quantities.ts';

describe('quantities', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [9_949, '9.9 kB'],
    [9_950, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [34_000_000, '34 MB'],
    [2.5e15, '2500 TB'],
  ])('%d bytes is %s', (value, text) => expect(bytes(value)).toBe(text));

  it.each([
    [0, '0 ms'],
    [4.4, '4 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [9_949, '9.9 s'],
    [9_951, '10 s'],
    [59_499, '59 s'],
    [59_500, '1 min'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
    [90_000_000, '1 d 1 h'],
  ])('%d ms is %s', (value, text) => expect(duration(value)).toBe(text));

  it.each([
    [0, '0 %'],
    [0.546, '54 %'],
    [0.9999, '99 %'],
    [1, '100 %'],
    [-0.1, '0 %'],
    [1.2, '100 %'],
  ])('%d is %s', (value, text) => expect(percent(value)).toBe(text));

  it('groups digits and counts in words', () => {
    expect(count(1_234_567.8)).toBe('1,234,568');
    expect(counted(1, 'record')).toBe('1 record');
    expect(counted(2_000, 'record')).toBe('2,000 records');
  });

  it('gives the time of day with seconds', () => {
    expect(timeOfDay(new Date(2001, 0, 1, 7, 8, 9).getTime())).toBe('07:08:09');
  });
});
