import { type Job, type Logger, memoryStore, start } from 'tidemark';

/** Only what went wrong: the rest is said at the end. */
const logger: Logger = {
  debug() {},
  info() {},
  warn: (_, message) => console.error(message),
  error: (_, message) => console.error(message),
  child: () => logger,
};

/** Runs a job that fills a topic, and says how long it took; the process exits with 1 when it fails. */
export async function load(job: Job, what: string): Promise<void> {
  const startedAt = performance.now();
  const store = memoryStore();
  try {
    await start(job, { store, logger, restart: { strategy: 'none' } }).done;
    console.log(`${what}, in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    await store.close();
  }
}
