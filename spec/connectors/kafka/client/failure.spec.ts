import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { kafkaFailure } from '../../../../connectors/kafka/client/kafkajs/failure.ts';
import { KafkaConnectionError, KafkaSecurityError } from '../../../../connectors/kafka/errors.ts';
import { InternalError } from '../../../../lib/errors.ts';

const where = { broker: 'b:9092', action: 'let this client connect', secrets: ['s3cret', ''] };
const thrown = (message: string, more: object = {}) => Object.assign(new Error(message), more);

describe('what kafkajs and sockets fail with', () => {
  it.each([
    [thrown('Connection error: connect ECONNREFUSED 127.0.0.1:1', { code: 'ECONNREFUSED' }), /: connect ECONNREFUSED/],
    [thrown('Connection error: getaddrinfo ENOTFOUND tls-cert.secure', { code: 'ENOTFOUND' }), /ENOTFOUND/],
    [thrown('getaddrinfo EAI_AGAIN SASL.example', { code: 'EAI_AGAIN' }), /EAI_AGAIN/],
    [thrown('Connection timeout'), /Connection timeout/],
    [
      thrown('Client network socket disconnected before secure TLS connection was established', { code: 'ECONNRESET' }),
      /does not expect TLS/,
    ],
    [
      thrown('SASL PLAIN authentication failed: Closed connection', { name: 'KafkaJSSASLAuthenticationError' }),
      /Closed connection/,
    ],
    ['a text', /a text/],
  ])('is a connection error, to be tried again: %s', (error, message) => {
    const failure = kafkaFailure(error, where);
    expect(failure).toBeInstanceOf(KafkaConnectionError);
    expect(failure.retriable).toBe(true);
    expect(failure.message).toMatch(/^The Kafka broker at b:9092 did not let this client connect: /);
    expect(failure.message).toMatch(message);
  });

  it.each([
    [thrown('SASL PLAIN authentication failed', { name: 'KafkaJSSASLAuthenticationError' }), /Check sasl/],
    [thrown('The broker does not support the requested SASL mechanism'), /Check sasl/],
    [thrown('self-signed certificate', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), /Check ssl/],
    [thrown('write EPROTO: wrong version number', { code: 'EPROTO' }), /Check ssl/],
    [thrown('alert', { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }), /Check ssl/],
    [thrown('error:0480006C:PEM routines::no start line'), /Check ssl/],
  ])('is a security error, which no repeat mends: %s', (error, message) => {
    const failure = kafkaFailure(error, where);
    expect(failure).toBeInstanceOf(KafkaSecurityError);
    expect(failure.retriable).toBe(false);
    expect(failure.message).toMatch(message);
  });

  it('shows no secret, at no depth', () => {
    const failure = kafkaFailure(thrown('no s3cret', { request: 's3cret' }), where);
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain('s3cret');
  });

  it('stays what it is when it is ours already', () => {
    const ours = new InternalError('ours');
    expect(kafkaFailure(ours, where)).toBe(ours);
  });
});
