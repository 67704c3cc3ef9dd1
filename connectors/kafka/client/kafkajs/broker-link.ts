import { addressText, type KafkaAddress } from '../../options.ts';
import type { Api } from '../wire/api/api.ts';
import type { ApiVersions } from '../wire/api/cluster.ts';
import { type Asking, Lane, type LaneSettings } from './lane.ts';

/**
 * The connections to one broker. A broker answers the requests of a connection one after another, so what may wait there
 * for long has a connection of its own: batches for their copies, and each fetch for records to come.
 */
export class BrokerLink {
  readonly address: string;
  readonly #where: { host: string; port: number };
  readonly #settings: LaneSettings;
  readonly #requests: Lane;
  readonly #batches: Lane;
  readonly #fetches: Lane[] = [];
  /** Those of `#fetches` that wait for no answer. */
  readonly #idle: Lane[] = [];
  #isClosed = false;

  constructor(where: KafkaAddress, settings: LaneSettings) {
    this.#where = { host: where.host, port: where.port };
    this.address = addressText(where);
    this.#settings = settings;
    this.#requests = this.#lane();
    this.#batches = this.#lane();
  }

  /** While connected: what the broker understands. */
  get versions(): ApiVersions | undefined {
    return this.#requests.versions;
  }

  ask<Q, A>(api: Api<Q, A>, request: Q, asking?: Asking): Promise<A> {
    return this.#requests.ask(api, request, asking);
  }

  /** In the order of the calls. */
  askToAppend<Q, A>(api: Api<Q, A>, request: Q, asking?: Asking): Promise<A> {
    return this.#batches.ask(api, request, asking);
  }

  /** Delays nothing else, and is delayed by nothing else. */
  askToWait<Q, A>(api: Api<Q, A>, request: Q, asking?: Asking): Promise<A> {
    return this.#askAlone(this.#idle.pop() ?? this.#anotherFetch(), api, request, asking);
  }

  /** As `askToWait`, over a connection that was not there before. */
  askAnew<Q, A>(api: Api<Q, A>, request: Q): Promise<A> {
    return this.#askAlone(this.#anotherFetch(), api, request);
  }

  close(): void {
    this.#isClosed = true;
    for (const lane of [this.#requests, this.#batches, ...this.#fetches]) lane.close();
  }

  async #askAlone<Q, A>(lane: Lane, api: Api<Q, A>, request: Q, asking?: Asking): Promise<A> {
    try {
      return await lane.ask(api, request, asking);
    } finally {
      this.#idle.push(lane);
    }
  }

  #anotherFetch(): Lane {
    const lane = this.#lane();
    this.#fetches.push(lane);
    if (this.#isClosed) lane.close();
    return lane;
  }

  #lane(): Lane {
    return new Lane(this.address, this.#where, this.#settings);
  }
}
