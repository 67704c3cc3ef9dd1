import { createHash } from 'node:crypto';
import { z } from 'zod';
import { StateLostError } from '../errors.ts';

/** Anything that JSON brings back unchanged: positions, handles. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const json: z.ZodType<Json> = z.json();

/** One immutable segment of an actor's chain, as a manifest names it. */
const segmentRef = z.object({
  name: z.string(),
  kind: z.enum(['full', 'delta']),
  /** Encoded size in bytes. */
  bytes: z.number().int().nonnegative(),
  /** Entries in it, tombstones included. */
  entries: z.number().int().nonnegative(),
  /** SHA-256 of the encoded bytes, hexadecimal. */
  checksum: z.string(),
});

const actorEntry = z.object({
  /** The behaviour's `version`. */
  version: z.number().int().nonnegative(),
  /** Keys with state at the barrier. */
  keys: z.number().int().nonnegative(),
  /** A full segment, then deltas, oldest first; empty when the actor has no state. */
  segments: z.array(segmentRef),
});

const commitPoint = z.object({
  /** 'store', 'kafka'. */
  kind: z.string(),
  /** Kafka's own name of the cluster. */
  clusterId: z.string().optional(),
  /** Where it was, for people; without credentials. */
  location: z.string().optional(),
});

const taskLayout = z.object({
  index: z.number().int().nonnegative(),
  /** How many there are, for the life of the state. */
  count: z.number().int().positive(),
  /** How many partitions each topic had: task t has the partitions p with p mod count = t. */
  partitions: z.record(z.string(), z.number().int().positive()),
  /** Where the tasks were filled from a savepoint: what all of them have in common, and those that were before them have not. */
  spread: z.string().exactOptional(),
});

const origin = z.object({
  job: z.string(),
  task: z.string(),
  id: z.number().int().positive(),
  /** `manifestChecksum` of its manifest; of a savepoint that was spread anew, a digest of those of all of its tasks. */
  checksum: z.string(),
});

const rest = z.object({
  /** Of the savepoint, and when it was asked for: together they tell it from any other. */
  name: z.string(),
  createdAt: z.number(),
  expiresAt: z.number(),
  end: z.enum(['go-on', 'stop']),
  /** `going`: on its way to rest, `there`: nothing of the task is under way to others, `over`: it has gone on, or given up. */
  phase: z.enum(['going', 'there', 'over']),
});

const manifestSchema = z.object({
  format: z.literal(1),
  job: z.string(),
  task: z.string(),
  id: z.number().int().positive(),
  /** Fence token of the incarnation that wrote it. */
  token: z.number().int().positive(),
  kind: z.enum(['checkpoint', 'savepoint']),
  /** Of a savepoint. */
  savepoint: z.object({ name: z.string() }).exactOptional(),
  /** Of a task with channels: how far it is with the last savepoint that it was asked for. */
  rest: rest.exactOptional(),
  /** The savepoint that the job was started from last; each checkpoint since then says so. */
  origin: origin.exactOptional(),
  /** Wall clock, ms since 1970. */
  createdAt: z.number(),
  sources: z.record(
    z.string(),
    z.object({
      position: json,
      finished: z.boolean(),
      watermark: z.number().nullable(),
      clocks: json.exactOptional(),
    }),
  ),
  actors: z.record(z.string(), actorEntry),
  sinks: z.record(z.string(), json),
  /** Nodes other than sources that have completed. */
  finished: z.array(z.string()),
  /** The whole job has completed: running it again does nothing. */
  jobFinished: z.boolean(),
  /** Written by a clean stop. */
  closed: z.boolean(),
  /** Which of several tasks wrote it. Left out: the job was one task. */
  tasks: taskLayout.optional(),
  /** What decided about it. Left out: the store, as in manifests that were written before there was anything else. */
  commitPoint: commitPoint.optional(),
});

export type SegmentRef = Readonly<z.infer<typeof segmentRef>>;
export type ActorEntry = Readonly<z.infer<typeof actorEntry>>;
/** The small document that makes a checkpoint. */
export type Manifest = Readonly<z.infer<typeof manifestSchema>>;

/** How the state of a job is spread over tasks, and which of them it is. */
export type TaskLayout = Readonly<z.infer<typeof taskLayout>>;

/** How far a task has come to rest for a savepoint. */
export type RestEntry = Readonly<z.infer<typeof rest>>;

/** The savepoint that state descends from. */
export type Origin = Readonly<z.infer<typeof origin>>;

/** What decides about checkpoints, as manifests say it. */
export type CommitPointIdentity = Readonly<z.infer<typeof commitPoint>>;

const digest = (body: string): string => createHash('sha256').update(body).digest('hex');

/** The manifest as a JSON text that carries its own checksum. */
export function encodeManifest(manifest: Manifest): string {
  const body = JSON.stringify(manifest);
  return `{"checksum":"${digest(body)}","manifest":${body}}\n`;
}

/** Reads what `encodeManifest` wrote; anything else (torn, changed, unknown format) is a `StateLostError` that names `where`. */
export function decodeManifest(text: string, where: string): Manifest {
  const body = /^\{"checksum":"([0-9a-f]{64})","manifest":(.*)\}\n$/s.exec(text);
  if (!body || digest(body[2] as string) !== body[1]) {
    throw new StateLostError(`The manifest ${where} is damaged: its checksum does not match. Restore it from a copy.`);
  }
  const parsed = manifestSchema.safeParse(JSON.parse(body[2] as string));
  if (!parsed.success) {
    throw new StateLostError(
      `The manifest ${where} has a form that this version does not read: ${z.prettifyError(parsed.error)}`,
    );
  }
  return parsed.data;
}

/** A digest of what the manifest says, the same whether it was just made or read back; hexadecimal. */
export function manifestChecksum(manifest: Manifest): string {
  return digest(JSON.stringify(manifestSchema.parse(JSON.parse(JSON.stringify(manifest)))));
}

/** Names of all segments that the manifest points at. */
export function segmentsOf(manifest: Manifest): string[] {
  return Object.values(manifest.actors).flatMap(actor => actor.segments.map(segment => segment.name));
}
