import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlainPacker } from '../../lib/checkpoint/plain-packer.ts';
import { encodeValue } from '../../lib/checkpoint/value-codec.ts';
import { PLAIN, shapeOf } from '../../lib/checkpoint/value-shape.ts';
import { stateValues } from './state-values.ts';

const packed = (packer: PlainPacker, value: unknown): Buffer | undefined =>
  packer.pack(value) ? Buffer.from(packer.bytes.subarray(0, packer.end)) : undefined;

const edges = [0, 1, 0x1f, 0x20, 0x21, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 2 ** 31, 2 ** 32];

describe('PlainPacker', () => {
  it.each<[string, unknown]>([
    ['whole numbers', edges.flatMap(n => [n - 1, n, -n || 0, -n - 1]).slice(0, 15)],
    ['other numbers', [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 40)]],
    ['texts', { short: 'x'.repeat(31), longer: 'x'.repeat(32), longest: 'x'.repeat(255), empty: '' }],
    ['booleans and null', [true, false, null]],
    ['objects and arrays in one another', { a: { b: [{ c: [] }, {}] } }],
  ])('takes %s', (_, value) => {
    expect(packed(new PlainPacker(), value)).toEqual(encodeValue(value));
  });

  it('takes every whole number as msgpackr does', () => {
    const packer = new PlainPacker();
    for (const edge of edges) {
      for (const number of [edge - 1, edge, edge + 1, 1 - edge, -edge || 0, -edge - 1].filter(n => !Object.is(n, -0))) {
        expect(packed(packer, number), String(number)).toEqual(encodeValue(number));
      }
    }
  });

  it('writes what msgpackr writes, or leaves a value alone; never takes one that is not plain', () => {
    const packer = new PlainPacker();
    fc.assert(
      fc.property(stateValues, value => {
        const bytes = packed(packer, value);
        if (bytes === undefined) return;
        expect(shapeOf(value)).toBe(PLAIN);
        expect(bytes).toEqual(encodeValue(value));
      }),
      { numRuns: 3_000 },
    );
  });

  it.each<[string, () => unknown]>([
    ['minus zero', () => [-0]],
    ['undefined', () => ({ a: undefined })],
    ['a text beyond ASCII', () => 'é'],
    ['a hole', () => new Array(2)],
    ['an array with a name', () => Object.assign([1], { a: 1 })],
    ['an array of a class', () => new (class List extends Array {})()],
    ['an instance', () => new (class Account {})()],
    ['an object without a prototype', () => Object.create(null)],
    ['an accessor', () => Object.defineProperty({}, 'a', { get: () => 1, enumerable: true })],
    ['a hidden property', () => Object.defineProperty({}, 'a', { value: 1 })],
    ['a symbol', () => ({ [Symbol('a')]: 1 })],
    ['a symbol of an array', () => Object.assign([], { [Symbol('a')]: 1 })],
    ['a name that msgpack asks for', () => ({ toJSON: 1 })],
    ['__proto__', () => JSON.parse('{"__proto__": 1}')],
    ['a date', () => new Date(0)],
    ['a map', () => new Map()],
    ['a function', () => () => {}],
    ['a bigint', () => 1n],
    ['what is large', () => Array.from({ length: 15 }, () => Array.from({ length: 15 }, () => 'x'.repeat(200)))],
  ])('leaves alone %s', (_, value) => {
    expect(new PlainPacker().pack(value())).toBe(false);
  });

  it('takes names that come again, however many there are', () => {
    const packer = new PlainPacker();
    const values = Array.from({ length: 5_000 }, (_, n) => ({ [`name ${n % 1_500}`]: n, again: [{ again: n }] }));
    for (const value of values) expect(packed(packer, value)).toEqual(encodeValue(value));
  });

  it('leaves alone what refers to itself', () => {
    const value: { self?: unknown } = {};
    value.self = [value];
    expect(new PlainPacker().pack(value)).toBe(false);
  });
});
