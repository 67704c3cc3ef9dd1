import { describe, expect, it } from 'vitest';
import { InternalError } from '../../lib/errors.ts';
import { Alignment, type AlignmentMode } from '../../lib/stream/alignment.ts';
import { HeldElements } from '../../lib/stream/held-elements.ts';

/** An element, a barrier or the end of one input. */
type Event =
  | { readonly kind: 'element'; readonly input: number; readonly n: number }
  | { readonly kind: 'barrier'; readonly input: number; readonly id: number }
  | { readonly kind: 'close'; readonly input: number };

/** What comes out: `'0.1'` is element 1 of input 0, a number is a barrier. */
type Out = string | number;

/** Events as text: `a b` elements of inputs 0 and 1, `A1` barrier 1 on input 0, `a|` its end. */
function events(text: string): Event[] {
  const counts = new Map<number, number>();
  return text
    .split(' ')
    .filter(Boolean)
    .map(word => {
      const input = word.toLowerCase().charCodeAt(0) - 97;
      if (word.endsWith('|')) return { kind: 'close', input };
      if (word.length > 1) return { kind: 'barrier', input, id: Number(word.slice(1)) };
      const n = (counts.get(input) ?? 0) + 1;
      counts.set(input, n);
      return { kind: 'element', input, n };
    });
}

/** Does what a stage does with an alignment; `after` is what had come out after each event. */
function run(inputs: number, mode: AlignmentMode, all: readonly Event[]): { out: Out[]; after: number[] } {
  const alignment = new Alignment(inputs, mode);
  const held = new HeldElements<string>(inputs);
  const out: Out[] = [];
  const after: number[] = [];
  for (const event of all) {
    if (event.kind === 'element') {
      const name = `${event.input}.${event.n}`;
      if (alignment.element(event.input) === 'hold') held.hold(event.input, name);
      else out.push(name);
    } else {
      const steps = event.kind === 'close' ? alignment.close(event.input) : alignment.barrier(event.input, event.id);
      for (const step of steps) {
        if ('emit' in step) out.push(step.emit);
        else out.push(...held.take(step.release));
      }
    }
    after.push(out.length);
  }
  return { out, after };
}

const outOf = (text: string, mode: AlignmentMode = 'exactly-once', inputs = 2) => run(inputs, mode, events(text)).out;

describe('Alignment', () => {
  it('passes elements while no barrier is being aligned', () => {
    expect(outOf('a b a')).toEqual(['0.1', '1.1', '0.2']);
  });

  it('holds back what follows a barrier until it came on every input', () => {
    expect(outOf('A1 a b a')).toEqual(['1.1']);
    expect(outOf('A1 a b a B1 b')).toEqual(['1.1', 1, '0.1', '0.2', '1.2']);
  });

  it('releases inputs in order', () => {
    expect(outOf('B1 b A1 a c C1', 'exactly-once', 3)).toEqual(['2.1', 1, '0.1', '1.1']);
  });

  it('lets records pass in at-least-once mode, and still emits the barrier when it came everywhere', () => {
    expect(outOf('A1 a b B1 b', 'at-least-once')).toEqual(['0.1', '1.1', 1, '1.2']);
  });

  it('emits at once with a single input', () => {
    expect(outOf('a A1 a A2', 'exactly-once', 1)).toEqual(['0.1', 1, '0.2', 2]);
  });

  it('does not wait for an input that has ended', () => {
    expect(outOf('a a| b B1 b')).toEqual(['0.1', '1.1', 1, '1.2']);
    expect(outOf('B1 b a a|')).toEqual(['0.1', 1, '1.1']);
  });

  it('swallows what an ended input delivers of an emitted barrier', () => {
    expect(outOf('a| B1 A1 b B2 A2')).toEqual([1, '1.1', 2]);
  });

  it('does not emit for an ended input alone while another is open', () => {
    expect(outOf('a| A1 b B1 b')).toEqual(['1.1', 1, '1.2']);
  });

  it('keeps back what an input gave after its barrier although it has ended since', () => {
    expect(outOf('A1 a a| b')).toEqual(['1.1']);
    expect(outOf('A1 a a| b B1')).toEqual(['1.1', 1, '0.1']);
  });

  it('emits at the first delivery when all inputs have ended', () => {
    expect(outOf('a| b| B1 A1 A2 B2')).toEqual([1, 2]);
  });

  it('emits an unfinished barrier when the last input that it waits for ends', () => {
    expect(outOf('A1 a a| b b|')).toEqual(['1.1', 1, '0.1']);
  });

  it('drops an unfinished barrier when a newer one overtakes it, and passes what it held back first', () => {
    expect(outOf('A1 a b B2 b a A2 a')).toEqual(['1.1', '0.1', '0.2', 2, '1.2', '0.3']);
    expect(outOf('A1 a A2 a b B2')).toEqual(['0.1', '1.1', 2, '0.2']);
    expect(outOf('A1 a A3 B1 b B3')).toEqual(['0.1', '1.1', 3]);
    expect(outOf('A1 a b| B2', 'exactly-once')).toEqual([1, '0.1']);
  });

  it('refuses barriers of an input whose ids do not rise, and a second end', () => {
    expect(() => outOf('A2 A2')).toThrow(InternalError);
    expect(() => outOf('A2 A1')).toThrow('Barrier 1 arrived on input 0 after barrier 2');
    expect(() => outOf('a| a|')).toThrow(InternalError);
  });

  for (const [inputs, length] of [
    [2, 7],
    [3, 5],
  ] as const) {
    for (const mode of ['exactly-once', 'at-least-once'] as const) {
      it(`keeps its definition in every interleaving of ${length} events on ${inputs} inputs, ${mode}`, () => {
        let cases = 0;
        for (const sequence of interleavings(inputs, length)) {
          cases++;
          const problem = violation(inputs, mode, sequence);
          if (problem) expect.fail(`${problem} in ${JSON.stringify(sequence)}`);
        }
        expect(cases).toBeGreaterThan(50_000);
      });
    }
  }
});

/** Every legal sequence of exactly `length` events with two barriers; whatever is shorter is a beginning of one. */
function* interleavings(inputs: number, length: number, before: readonly Event[] = []): Generator<readonly Event[]> {
  if (before.length === length) {
    yield before;
    return;
  }
  for (let input = 0; input < inputs; input++) {
    const own = before.filter(event => event.input === input);
    const isClosed = own.some(event => event.kind === 'close');
    const n = own.filter(event => event.kind === 'element').length + 1;
    const last = Math.max(0, ...own.map(event => (event.kind === 'barrier' ? event.id : 0)));
    const next: Event[] = isClosed
      ? []
      : [
          { kind: 'element', input, n },
          { kind: 'close', input },
        ];
    for (let id = last + 1; id <= 2; id++) next.push({ kind: 'barrier', input, id });
    for (const event of next) yield* interleavings(inputs, length, [...before, event]);
  }
}

/** What is wrong about what comes out, by a definition that looks at all events at once; `undefined` when nothing is. */
function violation(inputs: number, mode: AlignmentMode, all: readonly Event[]): string | undefined {
  const { out, after } = run(inputs, mode, all);
  const emittedAt = new Map<number, number>();
  for (let time = 0; time < all.length; time++) {
    const past = all.slice(0, time + 1);
    const barriers = past.filter(event => event.kind === 'barrier');
    const highest = Math.max(0, ...barriers.map(barrier => barrier.id));
    const delivered = (input: number) => barriers.some(barrier => barrier.input === input && barrier.id === highest);
    const closed = (input: number) => past.some(event => event.kind === 'close' && event.input === input);
    const everyInput = Array.from({ length: inputs }, (_, input) => input);
    if (highest > 0 && !emittedAt.has(highest) && everyInput.every(input => delivered(input) || closed(input))) {
      emittedAt.set(highest, time);
    }
    const soFar = out.slice(0, after[time]);
    const barriersOut = soFar.filter(item => typeof item === 'number');
    if (barriersOut.join() !== [...emittedAt.keys()].join()) return `barriers ${barriersOut} after event ${time}`;
    // What has not come out is exactly what follows the barrier that is being aligned.
    const isAligning = mode === 'exactly-once' && highest > 0 && !emittedAt.has(highest);
    for (const input of everyInput) {
      const from = past.findIndex(event => event.kind === 'barrier' && event.input === input && event.id === highest);
      const passed = past.filter(
        (event, at) => event.kind === 'element' && event.input === input && !(isAligning && from >= 0 && at > from),
      );
      const expected = passed.map(event => (event.kind === 'element' ? `${input}.${event.n}` : ''));
      const actual = soFar.filter(item => typeof item === 'string' && item.startsWith(`${input}.`));
      if (actual.join() !== expected.join()) return `elements ${actual} of input ${input} after event ${time}`;
    }
  }
  if (mode === 'at-least-once') return undefined;
  // After barrier n came out, exactly the elements before n on every input came out before it.
  for (const [id, time] of emittedAt) {
    const before = new Set(out.slice(0, out.indexOf(id)));
    for (const [at, event] of all.entries()) {
      if (event.kind !== 'element') continue;
      const barrier = all.findIndex(
        (other, when) => other.kind === 'barrier' && other.input === event.input && other.id === id && when <= time,
      );
      const belongs = barrier >= 0 ? at < barrier : at <= time;
      if (before.has(`${event.input}.${event.n}`) !== belongs) return `${event.input}.${event.n} around barrier ${id}`;
    }
  }
  return undefined;
}
