import { type CommitRecord, InternalError, StateLostError, type TaskRef } from '../../../lib/index.ts';
import type { TopicPartition } from '../client/port.ts';

/** Where commit records are: offsets of its partition 0. Nothing is ever written to it. */
export const commitTopic = 'tidemark.commits';
export const commitPartition: TopicPartition = { topic: commitTopic, partition: 0 };

/**
 * The group of a task's commit record, which nobody joins; also its transactional id. The last point stands before the task,
 * whose own are written as `%2E`: two tasks with one id would fence each other off.
 */
export const commitGroup = ({ job, task }: TaskRef): string =>
  `tidemark.${job}.${task.replace(/[%.]/g, mark => (mark === '.' ? '%2E' : '%25'))}`;

/** What Kafka takes as an offset's metadata unless `offset.metadata.max.bytes` was changed. */
const mostMetadataBytes = 4096;

/** The record as an offset and its metadata. */
export function encodeRecord({ id, token, checksum, isCleared = false }: CommitRecord): {
  offset: number;
  metadata: string;
} {
  const metadata = JSON.stringify(
    isCleared ? { tidemark: 1, cleared: id, token } : { tidemark: 1, manifest: `${id}-${token}`, token, checksum },
  );
  if (Buffer.byteLength(metadata) > mostMetadataBytes) {
    throw new InternalError(`The commit record of checkpoint ${id} is longer than ${mostMetadataBytes} bytes.`);
  }
  return { offset: id, metadata };
}

/** Reads what `encodeRecord` made; `undefined` for no offset, `StateLostError` for anything else. */
export function decodeRecord(offset: number, metadata: string, group: string): CommitRecord | undefined {
  if (offset < 0) return undefined;
  const { tidemark, manifest, token, checksum, cleared } = parsed(metadata);
  if (tidemark === 1 && cleared === offset && typeof token === 'number') {
    return { id: offset, token, checksum: '', isCleared: true };
  }
  if (
    tidemark === 1 &&
    manifest === `${offset}-${token}` &&
    typeof token === 'number' &&
    typeof checksum === 'string'
  ) {
    return { id: offset, token, checksum };
  }
  throw new StateLostError(
    `The committed offset ${offset} of group "${group}" on ${commitTopic} is no commit record that this version reads: ` +
      'somebody else has committed there, or a newer version. Nobody but the job may use that group.',
    { context: { group, offset } },
  );
}

function parsed(metadata: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(metadata);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
