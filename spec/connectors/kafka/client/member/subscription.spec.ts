import { describe, expect, it } from 'vitest';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../../../connectors/kafka/client/member/subscription.ts';
import { ByteReader } from '../../../../../connectors/kafka/client/wire/byte-reader.ts';
import { ByteWriter } from '../../../../../connectors/kafka/client/wire/byte-writer.ts';

const claim = { generation: 7, running: [1, 300], ending: [2], isLeaving: false };
const strange = { generation: -1, running: [], ending: [], isLeaving: true };
const none = { tasks: [], comesAgain: false, isPartial: false };

describe('what a member says of itself', () => {
  it('comes back as it was', () => {
    for (const isLeaving of [true, false]) {
      expect(decodeSubscription(encodeSubscription(['a', 'b'], { ...claim, isLeaving }))).toEqual({
        ...claim,
        isLeaving,
      });
    }
  });

  it('is understood by those who know only this version, whatever a later one appends', () => {
    const bytes = encodeSubscription([], claim);
    const userData = Buffer.from(new ByteReader(bytes.subarray(6)).nullableBytes() ?? []);
    userData.writeInt16BE(2, 2);
    const later = new ByteWriter(64)
      .int16(0)
      .array([], () => {})
      .bytes(Buffer.concat([userData, Buffer.from('more')]));
    expect(decodeSubscription(later.written())).toEqual(claim);
  });

  it('wants no task when it cannot be understood', () => {
    const foreign = new ByteWriter(64)
      .int16(0)
      .array(['a'], topic => new ByteWriter(8).string(topic))
      .bytes(Buffer.from('sticky'));
    for (const bytes of [Buffer.alloc(0), Buffer.from('garbage'), foreign.written()]) {
      expect(decodeSubscription(bytes)).toEqual(strange);
    }
    const bytes = encodeSubscription(['a'], claim);
    for (let end = 0; end < bytes.length; end++) {
      expect(decodeSubscription(bytes.subarray(0, end))).toEqual(strange);
    }
  });
});

describe('what a member is assigned', () => {
  it('comes back as it was', () => {
    for (const comesAgain of [true, false]) {
      for (const isPartial of [true, false]) {
        const part = { tasks: [0, 5], comesAgain, isPartial };
        expect(decodeAssignment(encodeAssignment(part, ['a']))).toEqual(part);
      }
    }
  });

  it('has the form that Kafka’s tools read: task t as partition t of each topic', () => {
    const from = new ByteReader(encodeAssignment({ ...none, tasks: [2, 4] }, ['a', 'b']));
    expect(from.int16()).toBe(0);
    expect(from.array(() => [from.string(), from.array(() => from.int32())])).toEqual([
      ['a', [2, 4]],
      ['b', [2, 4]],
    ]);
  });

  it('is nothing where the leader left it out or another kind of leader wrote it', () => {
    const foreign = new ByteWriter(64)
      .int16(0)
      .array([], () => {})
      .int32(-1)
      .written();
    expect([decodeAssignment(Buffer.alloc(0)), decodeAssignment(foreign)]).toEqual([none, none]);
  });
});
