import fc from 'fast-check';
import { freeze } from 'immer';
import { describe, expect, it } from 'vitest';
import { decodeValue, encodeValue, ValueEncoder } from '../../lib/checkpoint/value-codec.ts';
import { StateLostError, UnsupportedStateError } from '../../lib/errors.ts';
import { stateValues } from './state-values.ts';
import { difference } from './strict-equality.ts';

const roundTrip = (value: unknown): unknown => decodeValue(encodeValue(value));

describe('the value codec', () => {
  it.each<[string, unknown]>([
    ['no value', undefined],
    ['a property that is undefined', { a: undefined, b: [undefined] }],
    ['minus zero', [-0, { a: -0 }]],
    ['not a number and infinities', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ['integers past 2^53', [2 ** 53, 2 ** 63, 2 ** 64, -(2 ** 63)]],
    ['bigints of any size', [0n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n) - 1n, -(7n ** 900n)]],
    ['dates, an invalid one too', [new Date(0), new Date(-1), new Date(8.64e15), new Date(Number.NaN)]],
    ['lone surrogates', { '\ud800': '\udc00', '\ud801': ['\ud83d', '😀'] }],
    ['an own property named __proto__', JSON.parse('{"a":1,"__proto__":{"x":1},"b":2}')],
    ['properties that msgpack asks for', { constructor: 1, toJSON: { toJSON: 2 }, hasOwnProperty: 3 }],
    ['names like integers, in any order', { b: 1, 2: 'two', 1: 'one', '-1': 'x', a: 2 }],
    ['empty things', [{}, [], '', new Map(), new Set(), new Uint8Array(), new ArrayBuffer(0)]],
    ['objects without a prototype', Object.assign(Object.create(null), { a: Object.create(null) })],
    ['maps and sets of maps and sets', new Map<unknown, unknown>([[{ k: 1 }, new Set([new Map([[1, -0]])])]])],
    ['a part of a larger buffer', new Uint16Array(new Uint16Array([1, 2, 3, 4]).buffer, 2, 2)],
    ['an object of 70,000 properties', Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`p${i}`, i]))],
    ['frozen state', Object.freeze({ a: Object.freeze([1]) })],
    ['maps and sets that Immer froze', freeze({ m: new Map([['a', { n: 1 }]]), s: new Set([1]) }, true)],
  ])('brings back %s', (_, value) => {
    expect(difference(roundTrip(value), value)).toBeUndefined();
  });

  it('brings back every mixture of supported values', () => {
    fc.assert(
      fc.property(stateValues, value => {
        expect(difference(roundTrip(value), value)).toBeUndefined();
      }),
      { numRuns: 3_000 },
    );
  });

  it('encodes values one after another as it does alone, large ones among them', () => {
    const large = 'x'.repeat(20_000);
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 9, arbitrary: stateValues }, fc.constant(large))), values => {
        const encoder = new ValueEncoder();
        for (const value of values) {
          const { bytes, start, end } = encoder.encode(value);
          expect(Buffer.compare(bytes.subarray(start, end), encodeValue(value))).toBe(0);
        }
      }),
    );
  });

  it('gives values of their own, which may be changed', () => {
    const value = freeze({ list: [1], map: new Map([['a', 1]]), bytes: new Uint8Array([1]) }, false);
    const bytes = encodeValue(value);
    const [one, other] = [decodeValue(bytes), decodeValue(bytes)] as (typeof value)[];
    one?.list.push(2);
    one?.map.set('b', 2);
    one?.bytes.fill(9);
    expect(other).toEqual(value);
    expect(decodeValue(bytes)).toEqual(value);
  });

  it('reads a value from the middle of other bytes', () => {
    for (const value of [{ a: 1 }, 'text', 5, { d: new Date(1) }]) {
      const bytes = encodeValue(value);
      const around = Buffer.concat([Buffer.alloc(3, 0xc1), bytes, Buffer.alloc(3, 0xff)]);
      expect(decodeValue(around, 3, 3 + bytes.length)).toEqual(value);
    }
  });

  it('writes an object that is met twice as two', () => {
    const shared = { n: 1 };
    const read = roundTrip({ a: shared, b: shared }) as { a: object; b: object };
    expect(read).toEqual({ a: { n: 1 }, b: { n: 1 } });
    expect(read.a).not.toBe(read.b);
  });

  class Account {
    cents = 1;
  }
  const cyclic: { list: unknown[] } = { list: [] };
  cyclic.list.push({ again: cyclic });
  const cyclicMap = new Map<unknown, unknown>();
  cyclicMap.set('x', cyclicMap).set('y', cyclicMap);
  let deep: unknown = 1;
  for (let i = 0; i < 600; i++) deep = [deep];

  it.each<[string, unknown, string]>([
    ['a function', { a: [0, 0, 0, { b: () => 1 }] }, 'State at .a[3].b is a function'],
    ['a symbol', [Symbol('s')], 'State at [0] is a symbol'],
    ['a class instance', { account: new Account() }, 'State at .account is an instance of Account'],
    ['a subclass of Array', { a: new (class Row extends Array {})() }, 'State at .a is an instance of Row'],
    ['a subclass of Map', new (class Index extends Map {})(), 'State itself is an instance of Index'],
    ['a hole in an array', { a: Object.assign(new Array(3), { 0: 1, 2: 3 }) }, 'State at .a[1] is a hole'],
    ['an array of holes', new Array(3), 'State at [0] is a hole'],
    [
      'a named property of an array',
      Object.assign([1], { total: 1 }),
      'State at .total is a named property of an array',
    ],
    ['a symbol key', { a: { [Symbol('hidden')]: 1 } }, 'State at .a[Symbol(hidden)] has a symbol for a name'],
    [
      'a getter',
      {
        get now() {
          return 1;
        },
      },
      'State at .now is an accessor',
    ],
    ['a setter', { 'odd name': { set x(_: number) {} } }, 'State at ["odd name"].x is an accessor'],
    [
      'a hidden property',
      Object.defineProperty({}, 'h', { value: 1 }),
      'State at .h is a property that is not enumerable',
    ],
    ['a cycle', cyclic, 'State at .list[0].again is an object that contains it (a cycle)'],
    ['a cycle through a Map', cyclicMap, "State at .get('x') is an object that contains it (a cycle)"],
    ['what is nested too deep', deep, 'is nested more than 500 levels deep'],
    ['a bad key of a Map', new Map([[new WeakMap(), 1]]), 'State at .keys()[0] is an instance of WeakMap'],
    ['a bad value in a Map', { m: new Map([['k', [() => 1]]]) }, "State at .m.get('k')[0] is a function"],
    ['a bad item of a Set', new Set([1, Promise.resolve()]), 'State at .values()[1] is an instance of Promise'],
    ['a Map with properties', Object.assign(new Map(), { a: 1 }), 'State itself is an instance of Map with properties'],
    ['an Error', { failed: new TypeError('x') }, 'State at .failed is an instance of TypeError'],
    ['a RegExp', /x/, 'State itself is an instance of RegExp'],
    ['a boxed number', [Object(1)], 'State at [0] is an instance of Number'],
    ['shared memory', new Uint8Array(new SharedArrayBuffer(1)), 'State itself is an instance of Uint8Array'],
    [
      'a buffer that can be resized',
      new ArrayBuffer(1, { maxByteLength: 2 }),
      'State itself is an instance of ArrayBuffer',
    ],
    ['what only looks like a Map', Object.create(Map.prototype), 'State itself is an instance of Map'],
    ['a module', Object.defineProperty(Object.create(null), Symbol.toStringTag, { value: 'Module' }), 'toStringTag'],
  ])('refuses %s and says where it is', (_, value, message) => {
    expect(() => encodeValue(value)).toThrow(UnsupportedStateError);
    expect(() => encodeValue(value)).toThrow(message);
  });

  it('never reads through an accessor', () => {
    let reads = 0;
    const value = Object.defineProperty({}, 'x', { enumerable: true, get: () => ++reads });
    expect(() => encodeValue([value])).toThrow(UnsupportedStateError);
    expect(reads).toBe(0);
  });

  it('refuses bytes that it cannot read as lost state', () => {
    const bytes = encodeValue({ a: [1, 2, 3], d: new Date(1) });
    for (const bad of [bytes.subarray(0, 5), new Uint8Array(0), new Uint8Array([0xc1]), encodeTag(77)]) {
      expect(() => decodeValue(bad)).toThrow(StateLostError);
    }
  });
});

const encodeTag = (tag: number): Uint8Array => new Uint8Array([0xc1, 0x91, tag]);
