import { z } from 'zod';
import type { TaskNote } from './snapshot-store.ts';
import { type ManifestKey, manifestName } from './store-rules.ts';

/** What is to become of the job once the savepoint is taken. */
export type RequestEnd = 'go-on' | 'stop' | 'drain';

const request = z.object({
  format: z.literal(1),
  /** Of the savepoint. */
  name: z.string(),
  end: z.enum(['go-on', 'stop', 'drain']),
  /** Wall clock, ms since 1970; nobody answers later than `expiresAt`. */
  createdAt: z.number(),
  expiresAt: z.number(),
});
const refusal = z.object({ reason: z.string() });
const keeping = z.object({ name: z.string(), createdAt: z.number() });

/** Asks whoever runs a task for a savepoint; it answers with a manifest of that name. */
export type SavepointRequest = Readonly<z.infer<typeof request>>;
/** A checkpoint that was made a savepoint while nobody ran the job. */
export type KeptAsSavepoint = Readonly<z.infer<typeof keeping>>;

/** The names of the notes about a savepoint. */
export const requestNotes = (name: string) => ({
  request: `request-${name}`,
  /** The job has seen it. */
  accepted: `accepted-${name}`,
  refused: `refused-${name}`,
});
export const keepNote = (manifest: ManifestKey): string => `keep-${manifestName(manifest)}`;
/** What the savepoint had to make visible is visible. */
export const appliedNote = (manifest: ManifestKey): string => `applied-${manifestName(manifest)}`;
export const releaseNote = (manifest: ManifestKey): string => `release-${manifestName(manifest)}`;

export const requestText = (of: Omit<SavepointRequest, 'format'>): string => JSON.stringify({ format: 1, ...of });
export const refusalText = (reason: string): string => JSON.stringify({ reason });
export const keepText = (of: KeptAsSavepoint): string => JSON.stringify(of);

/** What the notes of a task say. */
export interface NotesRead {
  readonly requests: readonly SavepointRequest[];
  /** Names of requests that the job has seen. */
  readonly accepted: ReadonlySet<string>;
  /** Reasons by the names of requests. */
  readonly refused: ReadonlyMap<string, string>;
  /** By `<id>-<token>`. */
  readonly kept: ReadonlyMap<string, KeptAsSavepoint>;
  readonly released: ReadonlySet<string>;
}

/** Reads the notes of a task; what is torn, or of another version, is left out. */
export function readNotes(notes: readonly TaskNote[]): NotesRead {
  const read = {
    requests: [] as SavepointRequest[],
    accepted: new Set<string>(),
    refused: new Map<string, string>(),
    kept: new Map<string, KeptAsSavepoint>(),
    released: new Set<string>(),
  };
  for (const { name, text } of notes) {
    const [kind = ''] = name.split('-', 1);
    const about = name.slice(kind.length + 1);
    if (kind === 'request') {
      const found = parsed(request, text);
      if (found?.name === about) read.requests.push(found);
    } else if (kind === 'accepted') read.accepted.add(about);
    else if (kind === 'refused') read.refused.set(about, parsed(refusal, text)?.reason ?? 'it was refused');
    else if (kind === 'keep') read.kept.set(about, parsed(keeping, text) ?? { name: about, createdAt: 0 });
    else if (kind === 'release') read.released.add(about);
  }
  return read;
}

function parsed<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
