import type { DataStream, KeyOrNone } from 'tidemark';
import type { NexmarkEvent } from '../events.ts';

/** From all events to the rows of an answer, one line of output each. */
export type Query = (events: DataStream<NexmarkEvent>) => DataStream<object, KeyOrNone>;
