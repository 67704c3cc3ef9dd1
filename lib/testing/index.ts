export type { FailureLike, Matcher } from './compare-marbles.ts';
export { record, watermark } from './marble-elements.ts';
export { MarbleJob, type MarbleJobOptions, MarbleOutput, type MarbleStreams } from './marble-job.ts';
export { MarbleSource } from './marble-source.ts';
export { type Expectation, type MarbleHelpers, type MarbleInput, marbles } from './marbles.ts';
