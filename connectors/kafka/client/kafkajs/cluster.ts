import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../../lib/index.ts';
import { KafkaAnswerError, KafkaConnectionError, KafkaSecurityError } from '../../errors.ts';
import { addressText, type KafkaAddress } from '../../options.ts';
import type { Api } from '../wire/api/api.ts';
import { type ClusterMetadata, metadataApi } from '../wire/api/cluster.ts';
import { BrokerLink } from './broker-link.ts';
import { ClusterMap } from './cluster-map.ts';
import type { LaneSettings } from './lane.ts';
import { Node } from './node.ts';

const firstPauseMs = 100;
const longestPauseMs = 1_000;
/** After so long without an answer a connection may be dead. */
const silenceMs = 1_000;

class TimeUp extends KafkaConnectionError {}

/** The nodes of a cluster that were met, and the one question that any of them answers: what the cluster looks like. */
export class Cluster {
  readonly map = new ClusterMap();
  readonly #bootstrap: readonly KafkaAddress[];
  readonly #location: string;
  readonly #settings: LaneSettings;
  readonly #links = new Map<string, BrokerLink>();
  readonly #nodes = new Map<number, Node>();
  readonly #closed = new AbortController();
  /** Where the last answer came from. */
  #answering: string | undefined;

  constructor(bootstrap: readonly KafkaAddress[], location: string, settings: LaneSettings) {
    this.#bootstrap = bootstrap;
    this.#location = location;
    this.#settings = settings;
  }

  /** Asks until a broker answers or the time is up; what is not allowed is not tried again. */
  async connect(): Promise<void> {
    const timeoutMs = this.#settings.connectTimeoutMs;
    await this.repeat(
      () => this.metadata([]),
      error => error instanceof KafkaConnectionError,
      timeoutMs,
      error =>
        new KafkaConnectionError(
          `No Kafka broker of ${this.#location} could be reached within ${timeoutMs} ms. ${messageOf(error)} The setting "brokers" (or KAFKA_BROKERS) says where they are, connectTimeout how long to try.`,
          { cause: error, context: { brokers: this.#location } },
        ),
    );
  }

  /** Fresh; asks one broker after another until one answers. `null`: all topics. */
  async metadata(names: readonly string[] | null): Promise<ClusterMetadata> {
    const metadata = await this.askAny(metadataApi, { names });
    this.map.learn(metadata);
    this.#forgetGone();
    return metadata;
  }

  /** Asks those who are known, then those of the settings; for questions that any broker answers and that change nothing. */
  askAny<Q, A>(api: Api<Q, A>, request: Q): Promise<A> {
    return this.#askEach(link => link.ask(api, request));
  }

  /**
   * As `askAny`, for who has no time to wait for a connection that says nothing any more: after a moment it is asked over a new
   * one as well, and whichever answers first counts.
   */
  async askAnySoon<Q, A>(api: Api<Q, A>, request: Q): Promise<A> {
    const heard = new AbortController();
    const asked = this.askAny(api, request).finally(() => heard.abort());
    const askedAnew = sleep(silenceMs, undefined, { signal: heard.signal }).then(() =>
      this.#askEach(link => link.askAnew(api, request)),
    );
    try {
      return await Promise.any([asked, askedAnew]);
    } catch (error) {
      throw (error as AggregateError).errors[0];
    }
  }

  async #askEach<A>(ask: (link: BrokerLink) => Promise<A>): Promise<A> {
    let last: unknown = this.#closedError();
    for (const link of this.#candidates()) {
      if (this.#closed.signal.aborted) break;
      try {
        const answer = await ask(link);
        this.#answering = link.address;
        return answer;
      } catch (error) {
        if (!(error instanceof KafkaConnectionError)) throw error;
        last = error;
      }
    }
    throw last;
  }

  /** Repeats what changes nothing while it fails with what may pass, up to `timeoutMs`; then it is `giveUp`'s error. */
  async repeat<T>(
    work: () => Promise<T>,
    mayPass: (error: unknown) => boolean,
    timeoutMs: number,
    giveUp: (error: unknown) => unknown = error => error,
  ): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    let last: unknown;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        return await this.#until(deadline, work());
      } catch (error) {
        if (!mayPass(error) || this.#closed.signal.aborted) throw error;
        // That the time was up in the middle of a try says less than why the one before failed.
        last = error instanceof TimeUp ? (last ?? error) : error;
        if (performance.now() + pauseMs >= deadline) throw giveUp(last);
      }
      await sleep(pauseMs, undefined, { signal: this.#closed.signal }).catch(() => {});
    }
  }

  /** A broker that the map knows. */
  node(id: number): Node | undefined {
    const address = this.map.brokers.get(id);
    if (address === undefined) return undefined;
    const link = this.#link(address);
    const known = this.#nodes.get(id);
    if (known) {
      known.link = link;
      return known;
    }
    const node = new Node(id, link);
    this.#nodes.set(id, node);
    return node;
  }

  /** Those that are connected. */
  connected(): readonly BrokerLink[] {
    return [...this.#links.values()].filter(({ versions }) => versions !== undefined);
  }

  close(): void {
    this.#closed.abort();
    for (const link of this.#links.values()) link.close();
  }

  #link(address: KafkaAddress): BrokerLink {
    const name = addressText(address);
    const known = this.#links.get(name);
    if (known) return known;
    const link = new BrokerLink(address, this.#settings);
    this.#links.set(name, link);
    if (this.#closed.signal.aborted) link.close();
    return link;
  }

  #candidates(): BrokerLink[] {
    const addresses = [...this.map.brokers.values(), ...this.#bootstrap];
    const links = [...new Set(addresses.map(address => this.#link(address)))];
    const rank = ({ address, versions }: BrokerLink) => (address === this.#answering ? 0 : versions ? 1 : 2);
    return links.sort((a, b) => rank(a) - rank(b));
  }

  /** Links to where no broker is any more, such as a name that was only good for the first question. */
  #forgetGone(): void {
    const inUse = new Set([...this.map.brokers.values()].map(addressText));
    for (const { link } of this.#nodes.values()) inUse.add(link.address);
    for (const [address, link] of this.#links) {
      if (inUse.has(address) || address === this.#answering) continue;
      this.#links.delete(address);
      link.close();
    }
  }

  async #until<T>(deadline: number, work: Promise<T>): Promise<T> {
    const timeUp = new AbortController();
    const late = sleep(Math.max(deadline - performance.now(), 1), undefined, { signal: timeUp.signal }).then(
      () => {
        throw new TimeUp(`${this.#location} did not answer in time.`);
      },
      () => new Promise<never>(() => {}),
    );
    try {
      return await Promise.race([work, late]);
    } finally {
      timeUp.abort();
      work.catch(() => {}); // when it was late, nobody waits for it any more
    }
  }

  #closedError(): KafkaConnectionError {
    return new KafkaConnectionError(`The Kafka client of ${this.#location} is closed.`);
  }
}

/** The error for a code that the caller cannot be answered with; `what` failed. */
export function answerError(name: string, what: string, said?: string | null): KafkaAnswerError | KafkaSecurityError {
  const because = said ? `${name} (${said})` : name;
  if (/AUTHORIZATION_FAILED|AUTHENTICATION_FAILED|SASL/.test(name)) {
    return new KafkaSecurityError(
      `${what} failed: ${because}. Give this client's user the right to do it (Kafka's ACLs).`,
    );
  }
  return new KafkaAnswerError(name, `${what} failed: ${because}.`);
}
