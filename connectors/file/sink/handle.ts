import { z } from 'zod';
import { type Json, StateLostError } from '../../../lib/index.ts';

const count = z.number().int().nonnegative();

const handleSchema = z.object({
  version: z.literal(1),
  /** The visible file as the sink was told it, for people. */
  path: z.string(),
  /** Where in the visible file the bytes of this checkpoint begin: behind those of all checkpoints before. */
  offset: count,
  /** How many they are. */
  length: count,
  /** Digest of the last block before `offset`. */
  before: z.string(),
  /** The bytes, in this order. */
  parts: z.array(z.object({ name: z.string().regex(/^[\w-]+\.part$/), length: count, sha256: z.string() })),
});

/** What a manifest keeps for a file sink: which bytes its checkpoint makes visible, and where. */
export type SinkHandle = Readonly<z.infer<typeof handleSchema>>;
/** Bytes between two barriers, in a file of their own. */
export type PartRef = Readonly<SinkHandle['parts'][number]>;

/** Reads a handle from a manifest. */
export function readHandle(json: Json, sink: string): SinkHandle {
  const parsed = handleSchema.safeParse(json);
  if (parsed.success && parsed.data.length === lengthOf(parsed.data.parts)) return parsed.data;
  throw new StateLostError(
    `The checkpoint holds nothing that file sink "${sink}" can read: was the sink of this name another one? ` +
      'Give the sink another name, or start the job afresh.',
    { context: { sink } },
  );
}

/** Where the visible file ends once the handle is applied. */
export function endOf(handle: SinkHandle): number {
  return handle.offset + handle.length;
}

export function lengthOf(parts: readonly PartRef[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
