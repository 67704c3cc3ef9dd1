import { parentPort } from 'node:worker_threads';
import { messageOf, StateLostError } from '../errors.ts';
import { yieldToOthers } from './background-thread.ts';
import { type CompactedSegment, compactStored } from './compaction.ts';
import type { CompactionReply, CompactionRequest } from './compaction-thread.ts';

yieldToOthers();

// The other end of compaction-thread.ts: one request at a time, synchronously, since nothing else runs on this thread.
parentPort?.on('message', ({ id, segments, options }: CompactionRequest) => {
  let reply: CompactionReply;
  try {
    reply = { id, segments: compactStored(segments, { ...options, sync: true }) as CompactedSegment[] };
  } catch (error) {
    reply = { id, failed: { isStateLost: error instanceof StateLostError, message: messageOf(error) } };
  }
  parentPort?.postMessage(reply, reply.segments?.map(segment => segment.bytes.buffer as ArrayBuffer) ?? []);
});
