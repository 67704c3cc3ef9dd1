import { Linter, RuleTester } from 'eslint';
import { describe, expect, it } from 'vitest';
import tidemark from '../../eslint/index.ts';
import { rules } from '../../eslint/rules.ts';
import { parser } from '../../tools/lint/parser.ts';

Object.assign(RuleTester, { describe, it, itOnly: it.only });
const tester = new RuleTester({ languageOptions: { parser } });

const head = `import { from } from 'tidemark';
import { keyBy, scan as ourScan, to } from 'tidemark/operators';`;
const native = (names: string) => `import { ${names} } from 'rxjs';`;
const file = (...lines: string[]) => lines.join('\n');

/** Nothing on streams that is right is found by any rule. */
const valid: Record<string, string> = {
  'stateless native operators': file(head, native('map, filter, tap'), 'from(s).pipe(map(f), filter(g), tap(h));'),
  'operators of ours': file(head, 'from(s).pipe(keyBy(k), ourScan("total", f, 0), to(sink));'),
  'state on a plain Observable': file(native('of, scan'), 'of(1).pipe(scan(f, 0));'),
  "an Observable of RxJS's from": file(native('from, scan, delay'), 'from([1]).pipe(scan(f, 0), delay(1));'),
  'a chain of something unknown': file(native('scan'), 'handle.output(tag).pipe(scan(f, 0));'),
  'a scan of the same name that is not of RxJS': file(
    head,
    "import { scan } from './mine.ts';",
    'from(s).pipe(scan(f));',
  ),
  'a parameter that hides the import': file(head, native('scan'), 'const g = scan => from(s).pipe(scan(f));'),
  'mergeMap of arrays': file(
    head,
    native('mergeMap, of'),
    'from(s).pipe(mergeMap(v => [v, -v]), mergeMap(v => of(v)));',
  ),
  'a chain of plain Observables inside': file(
    head,
    native('mergeMap, of, scan'),
    'from(s).pipe(mergeMap(v => of(v, 2).pipe(scan(f, 0))));',
  ),
  'the queue, which works at once': file(
    head,
    native('observeOn, queueScheduler'),
    'from(s).pipe(observeOn(queueScheduler));',
  ),
  'a notifier that emits at once': file(head, native('debounce, of'), 'from(s).pipe(debounce(() => of(1)));'),
  'a value at completion, which holds nothing': file(head, native('endWith'), 'from(s).pipe(endWith(1));'),
  'an async function of map, which only makes promises': file(head, native('map'), 'from(s).pipe(map(async v => v));'),
  'RxJS joining plain Observables': file(head, native('merge, of'), 'merge(of(1), of(2)); from(s);'),
  'union of streams': file(
    "import { from } from 'tidemark';",
    "import { union } from 'tidemark/operators';",
    'union(from(a), from(b));',
  ),
  'the annotation of another DataStream': file(
    "import type { DataStream } from './mine.ts';",
    native('scan'),
    'export const f = (s: DataStream<number>) => s.pipe(scan(g, 0));',
  ),
  'an error handler that replaces': file(head, native('catchError, of'), 'from(s).pipe(catchError(() => of(1)));'),
};

interface Found {
  readonly code: string;
  readonly rule: string;
  readonly says: RegExp;
}

const state = 'no-native-state';
const shared = 'no-shared-state-after-key';
const later = 'no-async-native';
const combination = 'no-native-combination';

/** Each holds one mistake, which exactly one rule finds. */
const invalid: Record<string, Found> = {
  'scan on a stream': {
    code: file(head, native('scan'), 'from(s).pipe(scan(f, 0));'),
    rule: state,
    says: /after a crash it forgets.*`scan` of tidemark/,
  },
  'in the middle of a chain': {
    code: file(head, native('map, pairwise'), 'from(s).pipe(map(f)).pipe(map(f), pairwise(), map(f));'),
    rule: state,
    says: /use `pairwise` of tidemark/,
  },
  'an operator that is applied by hand': {
    code: file(head, native('distinct'), 'const d = distinct()(from(s));'),
    rule: state,
    says: /`distinct`/,
  },
  'a renamed operator': {
    code: file(head, native('scan as sum'), 'from(s).pipe(sum(f, 0));'),
    rule: state,
    says: /RxJS's `scan`/,
  },
  'an operator of a namespace': {
    code: file(head, "import * as rx from 'rxjs';", 'from(s).pipe(rx.bufferCount(2));'),
    rule: state,
    says: /`bufferCount`/,
  },
  "an operator of 'rxjs/operators'": {
    code: file(head, "import { groupBy } from 'rxjs/operators';", 'from(s).pipe(groupBy(f));'),
    rule: state,
    says: /`keyBy`/,
  },
  'a renamed from': {
    code: file("import { from as read } from 'tidemark';", native('scan'), 'read(s).pipe(scan(f, 0));'),
    rule: state,
    says: /scan/,
  },
  'a from of a namespace': {
    code: file("import * as tm from 'tidemark';", native('take'), 'tm.from(s).pipe(take(3));'),
    rule: state,
    says: /forgets how far it was.*use `take` of tidemark/,
  },
  'a variable that holds a stream': {
    code: file(head, native('first'), 'const input = from(s);\nconst output = input.pipe(first());'),
    rule: state,
    says: /use `first` of tidemark/,
  },
  'a variable that is given a stream later': {
    code: file(head, native('skip'), 'let input;\ninput = from(s);\ninput.pipe(skip(1));'),
    rule: state,
    says: /use `skip` of tidemark/,
  },
  'an annotated parameter': {
    code: file(
      "import type { DataStream } from 'tidemark';",
      native('scan'),
      'export const f = (s: DataStream<number>) => s.pipe(scan(g, 0));',
    ),
    rule: state,
    says: /scan/,
  },
  'an annotated constant, by an alias': {
    code: file(
      "import type { DataStream as DS } from 'tidemark';",
      native('toArray'),
      'type Rides = DS<number>;\ndeclare const rides: Rides;\nrides.pipe(toArray());',
    ),
    rule: state,
    says: /a result without it/,
  },
  'a stream that a function returns': {
    code: file(
      head,
      native('scan'),
      'function input() {\n  if (a) return undefined;\n  return from(s);\n}\ninput().pipe(scan(f, 0));',
    ),
    rule: state,
    says: /scan/,
  },
  'a function that is called with a stream': {
    code: file(head, native('scan'), 'const total = input => input.pipe(scan(f, 0));\ntotal(from(s));'),
    rule: state,
    says: /scan/,
  },
  'an operator written as a function': {
    code: file(head, native('scan'), 'from(s).pipe(input => input.pipe(scan(f, 0)));'),
    rule: state,
    says: /scan/,
  },
  'a composite': {
    code: file(
      head,
      native('map, pipe, scan'),
      'const total = pipe(map(f), scan(f, 0));\nfrom(s).pipe(total);\nfrom(t).pipe(total);',
    ),
    rule: state,
    says: /scan/,
  },
  'a composite that a function makes': {
    code: file(head, native('pipe, scan'), 'const total = () => pipe(scan(f, 0));\nfrom(s).pipe(total());'),
    rule: state,
    says: /scan/,
  },
  'a side output': {
    code: file(head, native('scan'), 'from(s).pipe(actor).side(tag).pipe(scan(f, 0));'),
    rule: state,
    says: /scan/,
  },
  'a union': {
    code: file("import { union } from 'tidemark/operators';", native('scan'), 'union(a, b).pipe(scan(f, 0));'),
    rule: state,
    says: /scan/,
  },
  'a connect': {
    code: file(
      "import { connect } from 'tidemark/operators';",
      native('scan'),
      'connect("c", a, b, handlers).pipe(scan(f, 0));',
    ),
    rule: state,
    says: /scan/,
  },
  'the latest of a plain Observable': {
    code: file(head, native('withLatestFrom'), 'from(s).pipe(withLatestFrom(rates));'),
    rule: state,
    says: /forgets/,
  },
  'an operator that shares': {
    code: file(head, native('share'), 'from(s).pipe(share());'),
    rule: state,
    says: /leave it out/,
  },
  'a value that waits for the end': {
    code: file(head, native('reduce'), 'from(s).pipe(reduce(f, 0));'),
    rule: state,
    says: /`reduce` of/,
  },

  'state behind keyBy': {
    code: file(head, native('scan'), 'from(s).pipe(keyBy(k), scan(f, 0));'),
    rule: shared,
    says: /one state for all keys/,
  },
  'state further behind keyBy': {
    code: file(
      head,
      native('filter, take'),
      'const keyed = from(s).pipe(keyBy(k));\nkeyed.pipe(filter(f)).pipe(take(1));',
    ),
    rule: shared,
    says: /`take`/,
  },
  'state of a parameter with a key': {
    code: file(
      "import type { DataStream } from 'tidemark';",
      native('scan'),
      'export const f = (s: DataStream<number, string>) => s.pipe(scan(g, 0));',
    ),
    rule: shared,
    says: /scan/,
  },

  delay: {
    code: file(head, native('delay'), 'from(s).pipe(delay(10));'),
    rule: later,
    says: /wrong side of a barrier.*use `delay` of tidemark\/operators/,
  },
  'a promise of mergeMap': {
    code: file(head, native('mergeMap'), 'from(s).pipe(mergeMap(async v => load(v)));'),
    rule: later,
    says: /use `mapAsync` of tidemark\/operators/,
  },
  'a promise that a function of the file makes': {
    code: file(head, native('switchMap'), 'async function load(v) {}\nfrom(s).pipe(switchMap(v => load(v)));'),
    rule: later,
    says: /use `mapAsync` of tidemark\/operators/,
  },
  "a promise in RxJS's from": {
    code: file(head, "import * as rx from 'rxjs';", 'from(s).pipe(rx.concatMap(v => rx.from(fetch(v))));'),
    rule: later,
    says: /use `mapAsync` of tidemark\/operators/,
  },
  'a timer inside': {
    code: file(head, native('debounce, timer'), 'from(s).pipe(debounce(() => timer(10)));'),
    rule: later,
    says: /use `debounceTime` of tidemark\/operators/,
  },
  'a delay inside': {
    code: file(head, native('mergeMap, of, delay'), 'from(s).pipe(mergeMap(v => of(v).pipe(delay(1))));'),
    rule: later,
    says: /RxJS's `mergeMap`/,
  },
  'a scheduler': {
    code: file(head, native('observeOn, asapScheduler'), 'from(s).pipe(observeOn(asapScheduler));'),
    rule: later,
    says: /leave it out/,
  },
  'an end by time': {
    code: file(head, native('takeUntil, timer'), 'from(s).pipe(takeUntil(timer(10)));'),
    rule: later,
    says: /handle\.stop/,
  },

  'merge of streams': {
    code: file(head, native('merge'), 'merge(from(a), from(b));'),
    rule: combination,
    says: /`union`/,
  },
  'combineLatest of a list of streams': {
    code: file(head, native('combineLatest'), 'const a = from(s);\ncombineLatest([a, other]);'),
    rule: combination,
    says: /`connect`/,
  },
  'zip of an object of streams': {
    code: file(head, native('forkJoin'), 'forkJoin({ a: from(s) });'),
    rule: combination,
    says: /`connect`/,
  },
  'mergeWith a stream': {
    code: file(head, native('mergeWith'), 'from(a).pipe(mergeWith(from(b)));'),
    rule: combination,
    says: /`union`/,
  },
  'takeUntil a stream': {
    code: file(head, native('takeUntil'), 'const b = from(s);\nfrom(a).pipe(takeUntil(b));'),
    rule: combination,
    says: /`connect`/,
  },
  'a stream inside of mergeMap': {
    code: file(head, native('mergeMap'), 'from(a).pipe(mergeMap(() => from(b)));'),
    rule: combination,
    says: /`union` or `connect`/,
  },

  startWith: {
    code: file(head, native('startWith'), 'from(s).pipe(startWith(0));'),
    rule: 'no-emit-at-subscription',
    says: /again at every restart.*use `startWith` of tidemark/,
  },
  'mergeWith something plain': {
    code: file(head, native('mergeWith, of'), 'from(s).pipe(mergeWith(of(1)));'),
    rule: 'no-emit-at-subscription',
    says: /`from` of tidemark.*`union`/,
  },
  retry: {
    code: file(head, native('retry'), 'from(s).pipe(retry(3));'),
    rule: 'no-resubscription',
    says: /restart strategy/,
  },
  'catchError that subscribes again': {
    code: file(head, native('catchError'), 'from(s).pipe(catchError((e, caught) => caught));'),
    rule: 'no-resubscription',
    says: /restart strategy/,
  },
};

const linter = new Linter();
function messages(code: string) {
  return linter.verify(code, [{ ...tidemark.configs.recommended, languageOptions: { parser } }]);
}

describe('the recommended rules pass', () => {
  it.for(Object.entries(valid))('%s', ([, code]) => expect(messages(code)).toEqual([]));
});

describe('the recommended rules find', () => {
  it.for(Object.entries(invalid))('%s', ([, { code, rule, says }]) => {
    const found = messages(code);
    expect(found.map(({ ruleId }) => ruleId)).toEqual([`tidemark/${rule}`]);
    expect(found[0]?.message).toMatch(says);
  });
});

describe('without a parser for TypeScript', () => {
  it('finds the same in JavaScript', () => {
    const code = file(head, native('scan'), 'from(s).pipe(keyBy(k), scan(f, 0));');
    expect(linter.verify(code, [tidemark.configs.recommended]).map(({ ruleId }) => ruleId)).toEqual([
      `tidemark/${shared}`,
    ]);
  });
});

/** A suggestion, and what becomes of the file; no rule changes anything by itself. */
const rewritten = (rule: string, name: string, operator: string, before: string, after: string) => ({
  name: `${rule}: ${operator} as ${name}`,
  code: before,
  output: null,
  errors: [{ messageId: 'native', suggestions: [{ messageId: 'rewrite', data: { operator, name }, output: after }] }],
});
const unchanged = (name: string, code: string) => ({ name, code, output: null, errors: [{ messageId: 'native' }] });
const ours = "import { from } from 'tidemark';";

tester.run('no-native-state', rules['no-native-state'] as never, {
  valid: Object.entries(valid).map(([name, code]) => ({ name, code })),
  invalid: [
    rewritten(
      state,
      'scan',
      'scan',
      file(ours, native('map, scan'), 'from(s).pipe(map(f), scan(add, 0));'),
      file(
        ours,
        native('map'),
        "import { scan } from 'tidemark/operators';",
        "from(s).pipe(map(f), scan('scan', add, 0));",
      ),
    ),
    rewritten(
      state,
      'distinct',
      'distinct',
      file(ours, native('distinct'), 'from(s).pipe(distinct());'),
      file(ours, "import { distinct } from 'tidemark/operators';", "from(s).pipe(distinct('distinct'));"),
    ),
    rewritten(
      state,
      'scan',
      'scan',
      file(
        ours,
        "import { to } from 'tidemark/operators';",
        native('scan, map'),
        'from(s).pipe(scan<number>(add, 0), map(f), to(t));',
      ),
      file(
        ours,
        "import { to, scan } from 'tidemark/operators';",
        native('map'),
        "from(s).pipe(scan('scan', add, 0), map(f), to(t));",
      ),
    ),
    rewritten(
      state,
      'scan-2',
      'scan',
      file(head, native('scan'), 'from(s).pipe(ourScan("scan", f, 0), scan(add, 0));'),
      file(head, native('scan'), 'from(s).pipe(ourScan("scan", f, 0), ourScan(\'scan-2\', add, 0));'),
    ),
    rewritten(
      state,
      'scan',
      'scan',
      file(ours, "import * as ops from 'tidemark/operators';", native('scan'), 'from(s).pipe(scan(f, 2));'),
      file(ours, "import * as ops from 'tidemark/operators';", native('scan'), "from(s).pipe(ops.scan('scan', f, 2));"),
    ),
    rewritten(
      state,
      'scan',
      'scan',
      file(ours, native('scan, of'), 'of(1).pipe(scan(f, 0));\nfrom(s).pipe(scan(add, 0));'),
      file(
        ours,
        native('scan, of'),
        "import { scan as checkpointedScan } from 'tidemark/operators';",
        "of(1).pipe(scan(f, 0));\nfrom(s).pipe(checkpointedScan('scan', add, 0));",
      ),
    ),
    rewritten(
      state,
      'distinctUntilChanged',
      'distinctUntilChanged',
      file(ours, native('distinctUntilChanged'), 'from(s).pipe(distinctUntilChanged(equals, k));'),
      file(
        ours,
        "import { distinctUntilChanged } from 'tidemark/operators';",
        "from(s).pipe(distinctUntilChanged('distinctUntilChanged', equals, k));",
      ),
    ),
    rewritten(
      state,
      'first',
      'first',
      file(ours, native('first'), 'from(s).pipe(first(f, 0));'),
      file(ours, "import { first } from 'tidemark/operators';", "from(s).pipe(first('first', f, 0));"),
    ),
    unchanged('scan without a seed, which ours must have', file(ours, native('scan'), 'from(s).pipe(scan(f));')),
    unchanged('an operator that only an actor replaces', file(ours, native('skipLast'), 'from(s).pipe(skipLast(2));')),
  ],
});

tester.run('no-emit-at-subscription', rules['no-emit-at-subscription'] as never, {
  valid: [],
  invalid: [
    rewritten(
      'no-emit-at-subscription',
      'startWith',
      'startWith',
      file(ours, native('startWith'), 'from(s).pipe(startWith(0));'),
      file(ours, "import { startWith } from 'tidemark/operators';", "from(s).pipe(startWith('startWith', 0));"),
    ),
  ],
});

tester.run('no-async-native', rules['no-async-native'] as never, {
  valid: Object.entries(valid).map(([name, code]) => ({ name, code })),
  invalid: [
    rewritten(
      later,
      'delay',
      'delay',
      file(ours, native('delay'), 'from(s).pipe(delay(10));'),
      file(ours, "import { delay } from 'tidemark/operators';", "from(s).pipe(delay('delay', 10));"),
    ),
    rewritten(
      later,
      'mapAsync',
      'mapAsync',
      file(ours, native('mergeMap'), 'from(s).pipe(mergeMap(async v => load(v)));'),
      file(
        ours,
        "import { mapAsync } from 'tidemark/operators';",
        "from(s).pipe(mapAsync('mapAsync', async v => load(v)));",
      ),
    ),
    unchanged(
      'a promise under a concurrency',
      file(ours, native('mergeMap'), 'from(s).pipe(mergeMap(async v => load(v), 3));'),
    ),
    unchanged(
      'a delay on a scheduler',
      file(ours, native('delay, asyncScheduler'), 'from(s).pipe(delay(1, asyncScheduler));'),
    ),
  ],
});
