import { messageOf, TidemarkError } from '../../../../lib/index.ts';
import { KafkaConnectionError, KafkaSecurityError } from '../../errors.ts';
import { TokenRefused } from './sasl.ts';

/** Where and during what something failed. */
export interface KafkaWhere {
  /** The broker's address. */
  readonly broker: string;
  /** Such as "connect" or "answer Fetch". */
  readonly action: string;
  /** Texts that must not show up anywhere. */
  readonly secrets: readonly string[];
}

const tls = /CERT|certificate|self.signed|SSL|TLS|PEM routines|X509|EPROTO/i;
/** Of the network, whatever words the names of hosts add to the message. */
const ofNetwork = /^E(?!PROTO$)[A-Z]+$|^EAI_[A-Z]+$/;

/** What kafkajs wraps as a failure of SASL, but is one of the connection: whoever is refused hears so from the broker. */
const lost = /closed connection|timed out|not connected|connection (timeout|error|was closed)|ECONN|EPIPE|ETIMEDOUT/i;

/** The error for what kafkajs or a socket failed with: what failed, where, and what to do; without credentials. */
export function kafkaFailure(error: unknown, where: KafkaWhere): TidemarkError {
  if (error instanceof TidemarkError) return error;
  const { name = '', code } = (error ?? {}) as { name?: string; code?: unknown };
  const said = withoutSecrets(messageOf(error), where.secrets).replace(/^Connection error: /, '');
  const what = `The Kafka broker at ${where.broker} did not ${where.action}: ${said}`.replace(/\.$/, '');
  // What kafkajs threw may hold the request: only the words go on.
  const options = { cause: new Error(said), context: { broker: where.broker } };
  const isNetwork = ofNetwork.test(String(code ?? ''));
  const isRefused = name === 'KafkaJSSASLAuthenticationError' ? !lost.test(said) : !isNetwork && /SASL/.test(said);
  if (error instanceof TokenRefused || isRefused) {
    return new KafkaSecurityError(
      `${what}. Check sasl in the settings: the mechanism, and the user and password or the token.`,
      options,
    );
  }
  if (/before secure TLS connection/.test(said)) {
    return new KafkaConnectionError(
      `${what}. It may be starting, or does not expect TLS on this port: check ssl in the settings.`,
      options,
    );
  }
  if (!isNetwork && tls.test(`${String(code ?? '')} ${said}`)) {
    return new KafkaSecurityError(
      `${what}. Check ssl in the settings: the certificates, and that the broker expects TLS on this port.`,
      options,
    );
  }
  return new KafkaConnectionError(`${what}. Check that it runs there and can be reached.`, options);
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '[redacted]');
  return clean;
}
