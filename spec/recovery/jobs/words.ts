// Counts words, with the mistakes in it that a spec asks for. Run by specs as `tidemark run`.
import { actor, type Behaviour, from, type JobSettings, job, paced, type } from 'tidemark';
import { fileSink, jsonLines } from 'tidemark/connectors/file';
import { keyBy, to } from 'tidemark/operators';
import { z } from 'zod';

const parameters = z.strictObject({
  input: z.string(),
  out: z.string(),
  /** Words a second; as fast as possible when left out. */
  rate: z.coerce.number().positive().optional(),
  /** The version of the actor's state; 2 keeps a count in an object. */
  version: z.coerce.number().int().default(1),
  migrates: z.stringbool().default(false),
  /** The names of the actors: the first counts, the others pass everything on. */
  actors: z.string().default('count'),
});

interface Word {
  readonly word: string;
}

interface Counted {
  readonly word: string;
  readonly count: number;
}

const plain: Behaviour<Word, number, Counted, string> = {
  emits: type<Counted>(),
  update: 'return',
  initial: () => 0,
  receive(count, { word }, ctx) {
    ctx.emit({ word, count: count + 1 });
    return count + 1;
  },
};

function inObject(migrates: boolean): Behaviour<Word, { readonly count: number }, Counted, string> {
  return {
    emits: type<Counted>(),
    update: 'return',
    version: 2,
    initial: () => ({ count: 0 }),
    receive({ count }, { word }, ctx) {
      ctx.emit({ word, count: count + 1 });
      return { count: count + 1 };
    },
    ...(migrates ? { migrate: (state: unknown) => ({ count: state as number }) } : {}),
  };
}

/** Counts what passes, and passes it on. */
const passes: Behaviour<Counted, number, Counted, string> = {
  emits: type<Counted>(),
  update: 'return',
  initial: () => 0,
  receive(seen, word, ctx) {
    ctx.emit(word);
    return seen + 1;
  },
};

// What the command line has no option for.
const settings = JSON.parse(process.env.WORDS_SETTINGS ?? '{}') as JobSettings;

export default job(
  'words',
  ({ input, out, rate, version, migrates, actors }: z.infer<typeof parameters>) => {
    const file = jsonLines<Word>({ path: input, name: 'words' });
    const words = from(rate === undefined ? file : paced(file, rate)).pipe(keyBy(({ word }) => word));
    const [first = '', ...others] = actors.split(',');
    const counted = words.pipe(version === 1 ? actor(first, plain) : actor(first, inObject(migrates)));
    const passed = others.reduce((stream, name) => stream.pipe(actor(name, passes)), counted);
    return passed.pipe(to(fileSink<Counted>({ path: out })));
  },
  { schema: parameters, restart: { strategy: 'none' }, ...settings },
);
