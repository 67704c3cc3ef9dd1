import type { ByteReader } from '../byte-reader.ts';
import { ByteWriter } from '../byte-writer.ts';

/** A kind of request and its answer, in the versions that we speak (https://kafka.apache.org/protocol). */
export interface Api<Q, A> {
  readonly name: string;
  readonly key: number;
  readonly lowest: number;
  readonly highest: number;
  /** The first version with flexible headers (KIP-482), where we speak it. */
  readonly flexibleFrom?: number;
  encode(into: ByteWriter, request: Q, version: number): void;
  decode(from: ByteReader, version: number): A;
}

/** A request as it goes over the wire, its length in front. */
export function encodeRequest<Q>(
  api: Api<Q, unknown>,
  version: number,
  { correlationId, clientId }: { readonly correlationId: number; readonly clientId: string },
  request: Q,
  bytesExpected = 512,
): Buffer {
  const into = new ByteWriter(bytesExpected);
  into.int32(0).int16(api.key).int16(version).int32(correlationId).string(clientId);
  if (isFlexible(api, version)) into.noTags();
  api.encode(into, request, version);
  return into.int32At(into.length - 4, 0).written();
}

/** An answer; `from` stands behind its correlation id. */
export function decodeAnswer<A>(api: Api<never, A>, version: number, from: ByteReader): A {
  if (isFlexible(api, version)) from.tags();
  return api.decode(from, version);
}

function isFlexible({ flexibleFrom = Number.POSITIVE_INFINITY }: Api<never, unknown>, version: number): boolean {
  return version >= flexibleFrom;
}
