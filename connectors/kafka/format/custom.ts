import { isPromise, JobDefinitionError } from '../../../lib/index.ts';
import type { Deserializer } from './deserializer.ts';
import type { Format } from './format.ts';
import type { Serializer } from './serializer.ts';

/** How to read; `deserialize` is also given the `null` of records without value. */
export type CustomDeserializer<T> = Pick<Deserializer<T>, 'deserialize'>;
/** How to write. */
export type CustomSerializer<T> = Pick<Serializer<T>, 'serialize'>;

/** A format of functions of your own, which answer at once: both for a format, or the one that is needed. */
export function custom<T>(functions: CustomDeserializer<T> & CustomSerializer<T>): Format<T>;
export function custom<T>(functions: CustomDeserializer<T>): Deserializer<T>;
export function custom<T>(functions: CustomSerializer<T>): Serializer<T>;
export function custom<T>(functions: Partial<CustomDeserializer<T> & CustomSerializer<T>>): Format<T> {
  const { deserialize, serialize } = functions;
  verifyFunctions(functions);
  return {
    name: 'custom',
    deserialize(bytes, record) {
      if (!deserialize) throw missing('deserialize', 'read');
      return atOnce(deserialize(bytes, record), 'deserialize');
    },
    serialize(value, topic, part) {
      if (!serialize) throw missing('serialize', 'write');
      const written: unknown = atOnce(serialize(value, topic, part), 'serialize');
      if (written === null || typeof written === 'string' || written instanceof Uint8Array) return written;
      throw new JobDefinitionError(
        `The function serialize of a custom format answered a value of type ${typeof written}: ` +
          'it must be a Uint8Array, a string or null',
      );
    },
  };
}

function verifyFunctions(functions: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(functions).filter(name => functions[name] !== undefined);
  const areFunctions = names.every(name => typeof functions[name] === 'function');
  const isKnown = names.every(name => name === 'deserialize' || name === 'serialize');
  if (names.length > 0 && areFunctions && isKnown) return;
  throw new JobDefinitionError(
    `A custom format takes the functions deserialize and serialize, or one of them; ${names.join(', ') || 'nothing'} was given`,
  );
}

const missing = (name: string, purpose: string): JobDefinitionError =>
  new JobDefinitionError(`A custom format has no function ${name}, which is needed to ${purpose} records: add it`);

function atOnce<T>(value: T, name: string): T {
  if (!isPromise(value)) return value;
  value.then(undefined, () => {});
  throw new JobDefinitionError(
    `The function ${name} of a custom format answers a promise: it must answer at once; put what must wait behind the source`,
  );
}
