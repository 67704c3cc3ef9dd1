import { EventEmitter } from 'node:events';
import { tidemark } from '../../cli/program.ts';
import type { World } from '../../cli/world.ts';
import { memoryStore } from '../../lib/index.ts';
import type { Job } from '../../lib/job/job.ts';
import type { JobSettings } from '../../lib/job/settings.ts';
import { FakeHandle } from '../cli/fake-handle.ts';
import { root } from './files.ts';

export interface Understood {
  readonly exitCode: number;
  readonly said: string;
  readonly job: Job | undefined;
  readonly settings: JobSettings | undefined;
  /** Where it would keep its state, and serve its status. */
  readonly store: string | undefined;
  readonly listens: string | undefined;
}

/** What the command makes of these words, in the root of this repository; the job is loaded, and not begun. */
export async function understood(words: readonly string[]): Promise<Understood> {
  let said = '';
  let job: Job | undefined;
  let settings: JobSettings | undefined;
  let store: string | undefined;
  let listens: string | undefined;
  const write = (text: string | Uint8Array): boolean => {
    said += String(text);
    return true;
  };
  const world: World = {
    start(loaded, given) {
      job = loaded;
      settings = given;
      const handle = new FakeHandle();
      setImmediate(() => handle.end('finished'));
      return handle;
    },
    startWorkers() {
      throw new Error('deployments here start no workers');
    },
    check() {},
    checkState: ({ name }) => ({ job: name, task: 'main', actors: [], sources: [], sinks: [] }),
    openStore(where) {
      store = where;
      return memoryStore();
    },
    openStatusServer({ host, port }) {
      listens = `${host}:${port}`;
      return { url: `http://${listens}`, port, show() {}, close: () => Promise.resolve() };
    },
    version: '0.0.0',
    cwd: root,
    env: {},
    stdout: { write },
    stderr: { write },
    signals: new EventEmitter(),
    clock: { now: () => 0, monotonic: () => 0 },
  };
  const exitCode = await tidemark(words, world);
  return { exitCode, said, job, settings, store, listens };
}
