import path from 'node:path';
import { map } from 'rxjs';
import { actor, deadLetters, from, job, paced } from 'tidemark';
import { fileSink } from 'tidemark/connectors/file';
import { keyBy, side, to } from 'tidemark/operators';
import { z } from 'zod';
import { generatedSource } from '../generated-source.ts';
import { positiveNumber, wholeNumber } from '../parameters.ts';
import { lineMaker, timeOfLine } from './generated-lines.ts';
import { type CardRecord, parseRecord } from './records.ts';
import { type Alert, alerts, fraudRules } from './rules.ts';

const parameters = z.strictObject({
  /** How many lines of input, and which ones. */
  lines: wholeNumber(0).default(100_000),
  seed: wholeNumber().default(1),
  /** More payments of a card than this in a minute are too many. */
  maxPerMinute: wholeNumber(1).default(5),
  /** Lines a second; as fast as possible when left out. */
  rate: positiveNumber().optional(),
  /** Folder for `accepted.jsonl`, `alerts.jsonl` and `broken.jsonl`. */
  out: z.string().default('out/fraud'),
});

/** Passes a line on as what it says; one that says nothing goes to the dead letters. */
const parsed = actor<string, null, CardRecord>('parsed', {
  supervise: 'skip',
  initial: () => null,
  receive(_, line, ctx) {
    ctx.emit(parseRecord(line));
  },
});

/** Payments by card: those that break no rule, alerts about the others, and the lines that could not be read. */
export default job(
  'fraud',
  ({ lines, seed, maxPerMinute, rate, out }: z.infer<typeof parameters>) => {
    const source = generatedSource({
      name: 'payments',
      count: lines,
      fixedBy: { seed },
      at: lineMaker(seed),
      timeOf: (_, n) => timeOfLine(n),
      watermarkAt: timeOfLine,
    });
    const file = <T>(name: string) => to<T>(fileSink<T>({ path: path.join(out, `${name}.jsonl`) }));
    const records = from(rate === undefined ? source : paced(source, rate)).pipe(parsed);
    const accepted = records.pipe(
      keyBy(record => record.card),
      fraudRules({ maxPerMinute }),
    );
    return [
      accepted.pipe(file('accepted')),
      accepted.pipe(side(alerts), file<Alert>('alerts')),
      records.pipe(
        side(deadLetters),
        map(({ value, error }) => ({ line: value, error })),
        file('broken'),
      ),
    ];
  },
  { schema: parameters, checkpoint: { interval: '500ms' } },
);
