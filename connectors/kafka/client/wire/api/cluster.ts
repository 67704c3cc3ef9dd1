import type { CoordinatorKind, ErrorName, NewTopic, TopicMetadata } from '../../port.ts';
import { errorName } from '../error-codes.ts';
import type { Api } from './api.ts';

/** Versions of the requests that a broker understands, by their keys. */
export type ApiVersions = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>;

export const apiVersionsApi: Api<undefined, { readonly error: ErrorName; readonly versions: ApiVersions }> = {
  name: 'ApiVersions',
  key: 18,
  lowest: 0,
  highest: 0,
  encode() {},
  decode(from) {
    const error = errorName(from.int16());
    const entries = from.array(() => [from.int16(), { minVersion: from.int16(), maxVersion: from.int16() }] as const);
    return { error, versions: Object.fromEntries(entries) };
  },
};

export interface BrokerAddress {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export interface ClusterMetadata {
  readonly brokers: readonly BrokerAddress[];
  readonly clusterId: string | null;
  /** Where topics are created. */
  readonly controllerId: number;
  readonly topics: readonly (TopicMetadata & { readonly error: ErrorName })[];
}

/** `names` null: all topics. Nothing is created. From version 10 on topics have ids. */
export const metadataApi: Api<{ readonly names: readonly string[] | null }, ClusterMetadata> = {
  name: 'Metadata',
  key: 3,
  lowest: 7,
  highest: 10,
  flexibleFrom: 9,
  encode(into, { names }, version) {
    if (version < 9) {
      into.array(names, name => into.string(name)).bool(false);
      if (version >= 8) into.bool(false).bool(false); // what this user may do: not asked
      return;
    }
    into.compactArray(names, name => {
      if (version >= 10) into.int64(0).int64(0); // asked by name, not by id
      into.compactString(name).noTags();
    });
    into.bool(false).bool(false).bool(false).noTags();
  },
  decode(from, version) {
    const isFlexible = version >= 9;
    const array = <T>(read: () => T): T[] => (isFlexible ? from.compactArray(read) : from.array(read));
    const text = () => (isFlexible ? from.compactString() : from.string());
    const nullableText = () => (isFlexible ? from.compactNullableString() : from.nullableString());
    const end = () => {
      if (isFlexible) from.tags();
    };
    from.int32(); // throttled
    const brokers = array(() => {
      const broker = { id: from.int32(), host: text(), port: from.int32() };
      nullableText(); // rack
      end();
      return broker;
    });
    const clusterId = nullableText();
    const controllerId = from.int32();
    const topics = array(() => {
      const error = errorName(from.int16());
      const topic = text();
      const id = version >= 10 ? from.uuid() : undefined;
      const isInternal = from.bool();
      const partitions = array(() => {
        from.int16(); // such as LEADER_NOT_AVAILABLE: the leader is -1 then
        const partition = { topic, partition: from.int32(), leader: from.int32(), leaderEpoch: from.int32() };
        for (let list = 0; list < 3; list++) array(() => from.int32()); // replicas: all, in sync, offline
        end();
        return partition;
      });
      if (version >= 8) from.int32(); // what this user may do
      end();
      partitions.sort((a, b) => a.partition - b.partition);
      return { error, topic, ...(id === undefined ? {} : { id }), isInternal, partitions };
    });
    return { brokers, clusterId, controllerId, topics };
  },
};

export const findCoordinatorApi: Api<
  { readonly kind: CoordinatorKind; readonly key: string },
  { readonly error: ErrorName; readonly message: string | null; readonly broker: BrokerAddress }
> = {
  name: 'FindCoordinator',
  key: 10,
  lowest: 1,
  highest: 2,
  encode(into, { kind, key }) {
    into.string(key).int8(kind === 'group' ? 0 : 1);
  },
  decode(from) {
    from.int32(); // throttled
    const error = errorName(from.int16());
    const message = from.nullableString();
    return { error, message, broker: { id: from.int32(), host: from.string(), port: from.int32() } };
  },
};

export const createTopicsApi: Api<
  { readonly topics: readonly NewTopic[]; readonly timeoutMs: number },
  readonly { readonly topic: string; readonly error: ErrorName; readonly message: string | null }[]
> = {
  name: 'CreateTopics',
  key: 19,
  lowest: 4,
  highest: 4,
  encode(into, { topics, timeoutMs }) {
    into.array(topics, ({ topic, partitions, replicationFactor = -1, settings = {} }) =>
      into
        .string(topic)
        .int32(partitions)
        .int16(replicationFactor)
        .int32(0) // replicas by hand
        .array(Object.entries(settings), ([name, value]) => into.string(name).string(value)),
    );
    into.int32(timeoutMs).bool(false);
  },
  decode(from) {
    from.int32(); // throttled
    return from.array(() => ({
      topic: from.string(),
      error: errorName(from.int16()),
      message: from.nullableString(),
    }));
  },
};

const resourceType = { topic: 2, broker: 4 } as const;

export const describeConfigsApi: Api<
  { readonly of: keyof typeof resourceType; readonly resource: string; readonly settings: readonly string[] },
  readonly { readonly error: ErrorName; readonly settings: Readonly<Record<string, string | null>> }[]
> = {
  name: 'DescribeConfigs',
  key: 32,
  lowest: 1,
  highest: 2,
  encode(into, { of, resource, settings }) {
    into.int32(1).int8(resourceType[of]).string(resource);
    into.array(settings, name => into.string(name)).bool(false);
  },
  decode(from) {
    from.int32(); // throttled
    return from.array(() => {
      const error = errorName(from.int16());
      from.nullableString();
      from.int8();
      from.string();
      const settings = from.array(() => {
        const entry = [from.string(), from.nullableString()] as const;
        from.bool(); // read-only
        from.int8(); // source
        from.bool(); // sensitive
        from.array(() => [from.string(), from.nullableString(), from.int8()]); // synonyms
        return entry;
      });
      return { error, settings: Object.fromEntries(settings) };
    });
  },
};
