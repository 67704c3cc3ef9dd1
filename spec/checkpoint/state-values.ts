import fc from 'fast-check';

const oddText = fc
  .array(fc.constantFrom('\ud800', '\udc00', '\u0000', '\ufeff', 'a', 'é', '漢', '😀', '__proto__'), { maxLength: 6 })
  .map(parts => parts.join(''));
const text = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 5, arbitrary: oddText },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 25, max: 70_000 }).chain(n => fc.constantFrom('x', 'é', '😀').map(c => c.repeat(n))),
  },
);
const name = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'cents',
    '__proto__',
    'constructor',
    'toString',
    'toJSON',
    'then',
    'length',
    '',
    '0',
    '1',
    '10',
    '-1',
    '4294967295',
  ),
  oddText,
  fc.string({ maxLength: 40 }),
);
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    -0,
    0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    -(2 ** 53),
    2 ** 63,
    2 ** 64,
    1e300,
  ),
);
const bigint = fc.oneof(
  fc.bigInt(),
  fc.constantFrom(
    0n,
    -1n,
    2n ** 53n,
    2n ** 63n - 1n,
    2n ** 63n,
    2n ** 64n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
    7n ** 500n,
    -(7n ** 500n),
  ),
);
const date = fc.oneof(
  fc.date({ noInvalidDate: false }),
  fc.constantFrom(-1, 0, 8.64e15, -8.64e15, Number.NaN, 1e12 + 1).map(time => new Date(time)),
);
const bytes = fc.uint8Array({ maxLength: 40 });
const binary = fc.oneof(
  bytes,
  bytes.map(b => Buffer.from(b)),
  bytes.map(b => new Uint8Array([...b, 1, 2, 3]).subarray(1)),
  bytes.map(b => new Uint8Array(b).buffer),
  fc.int8Array(),
  fc.uint8ClampedArray(),
  fc.uint16Array(),
  fc.int16Array(),
  fc.uint32Array(),
  fc.int32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
);

/** An object made by definition, so that `__proto__` is a property and names keep their order. */
function object(entries: readonly (readonly [string, unknown])[], prototype: object | null): object {
  const made = Object.create(prototype);
  for (const [name, value] of entries) {
    Object.defineProperty(made, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return made;
}

const nested = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    text,
    number,
    bigint,
    fc.constantFrom(undefined, null, true, false),
    date,
    binary,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 6 }).map(entries => object(entries, Object.prototype)),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 3 }).map(entries => object(entries, null)),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map(entries => new Map(entries)),
    fc.array(tie('value'), { maxLength: 5 }).map(items => new Set(items)),
  ),
}));

/** Everything that state may hold. */
export const stateValues: fc.Arbitrary<unknown> = fc.oneof(
  nested.value,
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withTypedArray: true,
    withUnicodeString: true,
  } as object),
  fc.jsonValue(),
);
