import type { KafkaSasl } from '../../options.ts';
import type { KafkajsSasl } from './internals.ts';

/** The options as kafkajs wants them; OAUTHBEARER is done here. */
export function kafkajsSasl(sasl: KafkaSasl | undefined): KafkajsSasl | undefined {
  if (sasl === undefined || sasl.mechanism !== 'oauthbearer') return sasl === undefined ? undefined : { ...sasl };
  return { mechanism: 'oauthbearer', authenticationProvider: round => ({ authenticate: () => bearer(sasl, round) }) };
}

/** The broker does not take the token; another try with the same brings nothing. */
export class TokenRefused extends Error {}

type OAuthBearer = Extract<KafkaSasl, { mechanism: 'oauthbearer' }>;

/**
 * RFC 7628. kafkajs's own does not look at the answer: with a token that is refused, the broker answers why, waits for
 * one more byte, and closes the connection at whatever comes instead.
 */
async function bearer(
  { token }: OAuthBearer,
  { saslAuthenticate }: Parameters<NonNullable<KafkajsSasl['authenticationProvider']>>[0],
): Promise<void> {
  const { value, extensions = {} } = await token();
  if (typeof value !== 'string' || value === '') throw new Error('the function "token" gave no token');
  const pairs = Object.entries({ auth: `Bearer ${value}`, ...extensions }).map(([name, text]) => `${name}=${text}\x01`);
  const ask = (bytes: Buffer) =>
    saslAuthenticate({
      request: { encode: async () => lengthFirst(bytes) },
      response: { decode: async answer => withoutLength(answer), parse: answer => answer },
    });
  const answer = await ask(Buffer.from(`n,,\x01${pairs.join('')}\x01`));
  if (!Buffer.isBuffer(answer) || answer.length === 0) return;
  await ask(Buffer.from([1])).catch(() => {}); // the broker's own error says no more than its answer
  throw new TokenRefused(`the token was refused: ${answer.toString('utf8')}`);
}

/** As kafkajs's own mechanisms hand over their bytes, and get them. */
function lengthFirst(bytes: Buffer): Buffer {
  const length = Buffer.allocUnsafe(4);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const withoutLength = (bytes: Buffer | null): Buffer | null => bytes?.subarray(4) ?? null;
