import { z } from 'zod';
import { type Json, SourcePositionError } from '../../lib/index.ts';

const count = z.number().int().nonnegative();
const fingerprint = { head: z.string(), tail: z.string() };

const positionSchema = z.object({
  format: z.string(),
  /** Index in the list of files; their number when all were read. */
  file: count,
  /** Lines, rows or elements before the position in that file, skipped ones included. */
  record: count,
  /** Byte behind the last of them, uncompressed. */
  offset: count,
  ...fingerprint,
  /** The last line had no line end. */
  open: z.boolean(),
  /** The files before, as they were on disk when their end was reached. */
  done: z.array(z.object({ bytes: count, ...fingerprint })),
});

/** How far a source has read: JSON in a manifest. */
export type FilePosition = Readonly<z.infer<typeof positionSchema>>;
/** A file that was read to its end. */
export type DoneFile = FilePosition['done'][number];

/** Reads a position from a manifest and checks what can be checked without opening a file. */
export function readPosition(json: Json, format: string, source: string, files: number): FilePosition {
  const parsed = positionSchema.safeParse(json);
  if (!parsed.success || parsed.data.done.length !== parsed.data.file) {
    throw refused(source, 'has a form that is not that of a file source', 'Was the source of this name another one?');
  }
  const position = parsed.data;
  if (position.format !== format) {
    throw refused(source, `was made reading ${position.format}, and it now reads ${format}`, 'Use the same format.');
  }
  const needed = position.file + (position.offset > 0 ? 1 : 0);
  if (needed > files) {
    const text = `is in file ${needed} of its list, and the list now has ${files}`;
    throw refused(source, text, 'Only add files at the end of the list.');
  }
  return position;
}

function refused(source: string, what: string, advice: string): SourcePositionError {
  return new SourcePositionError(
    `The checkpointed position of source "${source}" ${what}. ${advice} ` +
      'Otherwise start the job afresh to read everything again.',
    { context: { source } },
  );
}
