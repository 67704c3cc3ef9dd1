export { crash, takeCheckpoint } from './markers.ts';
export { type MemorySink, type MemorySinkOptions, memorySink } from './sink.ts';
export { memoryStore } from './snapshot-store.ts';
export { type MemoryItem, type MemorySourceOptions, memorySource, PlannedCrashError } from './source.ts';
