import { z } from 'zod';
import { type Json, StateLostError } from '../../../lib/index.ts';

const count = z.number().int().nonnegative();

const handleSchema = z.object({
  version: z.literal(1),
  /** The checkpoint whose writes come before these, as Redis keeps it; empty for none. */
  after: z.string().regex(/^(?:\d+:\d+)?$/),
  /** The writes, in this order; `pieces` is how many fields the part has. */
  parts: z.array(z.object({ name: z.string().regex(/^\d+-\d+-[0-9a-f]+$/), pieces: count, commands: count })),
});

/** What a manifest keeps for a Redis sink: which staged writes its checkpoint makes visible, and what comes before them. */
export type SinkHandle = Readonly<z.infer<typeof handleSchema>>;
/** The writes between two barriers, staged in Redis. */
export type PartRef = Readonly<SinkHandle['parts'][number]>;

/** Reads a handle from a manifest. */
export function readHandle(json: Json, sink: string): SinkHandle {
  const parsed = handleSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new StateLostError(
    `The checkpoint holds nothing that Redis sink "${sink}" can read: was the sink of this name another one? ` +
      'Give the sink another name, or start the job afresh.',
    { context: { sink } },
  );
}
