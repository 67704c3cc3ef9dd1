import { createHash } from 'node:crypto';
import { z } from 'zod';
import { StateLostError } from '../../errors.ts';

const manifestKey = z.object({ id: z.number().int().positive(), token: z.number().int().positive() });

const entrySchema = z.object({
  format: z.literal(1),
  job: z.string(),
  task: z.string(),
  /** Its place in the commit log: 0, 1, 2, …; unrelated to the ids of checkpoints. */
  slot: z.number().int().nonnegative(),
  /** The newest fence token: that of the incarnation that wrote the entry; 0 in the first. */
  token: z.number().int().nonnegative(),
  /** Every manifest that is committed and kept, lowest id first. */
  confirmed: z.array(manifestKey),
  /** The digest of the entry before it. */
  previous: z.string(),
  /** Makes entries distinct that say the same. */
  nonce: z.string(),
});

/** One entry of a task's commit log. It says the whole truth at its time, so only the newest one counts. */
export type CommitEntry = Readonly<z.infer<typeof entrySchema>>;

/** SHA-256 of a text, hexadecimal. */
export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The entry as a JSON text that carries its own checksum. */
export function encodeEntry(entry: CommitEntry): string {
  const body = JSON.stringify(entry);
  return `{"checksum":"${digestOf(body)}","commit":${body}}\n`;
}

/** Reads what `encodeEntry` wrote; anything else is a `StateLostError` that names `where`. */
export function decodeEntry(text: string, where: string): CommitEntry {
  const body = /^\{"checksum":"([0-9a-f]{64})","commit":(.*)\}\n$/s.exec(text);
  if (!body || digestOf(body[2] as string) !== body[1]) {
    throw new StateLostError(
      `The commit log entry ${where} is damaged: its checksum does not match. Restore it from a copy.`,
    );
  }
  const parsed = entrySchema.safeParse(JSON.parse(body[2] as string));
  if (!parsed.success) {
    throw new StateLostError(
      `The commit log entry ${where} has a form that this version does not read: ${z.prettifyError(parsed.error)}`,
    );
  }
  return parsed.data;
}
