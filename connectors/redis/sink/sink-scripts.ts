import { StoreUnavailableError } from '../../../lib/index.ts';
import type { Connection } from '../connection.ts';
import { durably } from '../durable-write.ts';
import { RedisSinkError } from '../errors.ts';
import type { SinkHandle } from './handle.ts';
import type { SinkKeys } from './keys.ts';
import type { SinkScript } from './scripts/index.ts';
import { type SinkPlace, verdictError } from './verdict.ts';

/** The scripts of one incarnation of a sink: each is refused once a newer one has made its claim. */
export class SinkScripts {
  readonly #connection: Connection<SinkScript>;
  readonly #keys: SinkKeys;
  readonly #place: SinkPlace;
  readonly #nonce: string;

  constructor(connection: Connection<SinkScript>, keys: SinkKeys, place: SinkPlace, nonce: string) {
    this.#connection = connection;
    this.#keys = keys;
    this.#place = place;
    this.#nonce = nonce;
  }

  /** Runs a script; an answer that is not "done" becomes its error. */
  async run(action: string, name: SinkScript, ...args: readonly (string | number | Buffer)[]): Promise<void> {
    const { state, parts, part } = this.#keys;
    const all = [this.#place.token, this.#nonce, part, ...args];
    const answer = (await this.#connection.script(action, name, [state, parts], ...all)) as string[];
    if (answer[0] !== 'done') throw verdictError(answer, this.#place);
  }

  /** Makes the claim; answers the verdict, the newest applied checkpoint and what is staged. */
  async claim(
    restored: string,
    handle: Pick<SinkHandle, 'after' | 'parts'>,
    keeps: boolean,
  ): Promise<readonly string[]> {
    const { state, parts, part } = this.#keys;
    const names = handle.parts.map(({ name }) => name);
    const args = [this.#place.token, this.#nonce, part, restored, handle.after, keeps ? 1 : 0, ...names];
    return this.durably('claim the output', async () => {
      const answer = await this.#connection.script('claim the output', 'claimSink', [state, parts], ...args);
      return answer as string[];
    });
  }

  /** Writes, then waits until that is durable; `write` may be run again. */
  async durably<T>(action: string, write: () => Promise<T>): Promise<T> {
    try {
      return await durably(this.#connection, action, write);
    } catch (error) {
      if (error instanceof StoreUnavailableError) {
        throw new RedisSinkError(error.message, { cause: error, context: { sink: this.#place.sink } });
      }
      throw error;
    }
  }
}
