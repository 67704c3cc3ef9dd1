import type {
  GroupMemberRequest,
  JoinedGroup,
  JoinGroupRequest,
  LeaveGroupRequest,
  SyncGroupRequest,
} from '../../member-port.ts';
import type { ErrorName } from '../../port.ts';
import type { ByteWriter } from '../byte-writer.ts';
import { errorName } from '../error-codes.ts';
import type { Api } from './api.ts';

// The versions with group.instance.id (KIP-345), before they became flexible: Kafka 2.3 to 4.

const nothing = Buffer.alloc(0);

export const joinGroupApi: Api<JoinGroupRequest, JoinedGroup> = {
  name: 'JoinGroup',
  key: 11,
  lowest: 5,
  highest: 5,
  encode(into, { group, sessionTimeoutMs, rebalanceTimeoutMs, memberId, instanceId, protocolType, protocols }) {
    into.string(group).int32(sessionTimeoutMs).int32(rebalanceTimeoutMs).string(memberId).string(instanceId);
    into.string(protocolType).array(protocols, ({ name, metadata }) => into.string(name).bytes(metadata));
  },
  decode(from) {
    from.int32(); // throttled
    const error = errorName(from.int16());
    const generation = from.int32();
    const protocol = from.string();
    const leaderId = from.string();
    const memberId = from.string();
    const members = from.array(() => ({
      memberId: from.string(),
      instanceId: from.nullableString() ?? undefined,
      metadata: from.nullableBytes() ?? nothing,
    }));
    return { error, generation, protocol, leaderId, memberId, members };
  },
};

export const syncGroupApi: Api<SyncGroupRequest, { readonly error: ErrorName; readonly assignment: Buffer }> = {
  name: 'SyncGroup',
  key: 14,
  lowest: 3,
  highest: 3,
  encode(into, request) {
    writeMember(into, request);
    into.array(request.assignments, ({ memberId, assignment }) => into.string(memberId).bytes(assignment));
  },
  decode(from) {
    from.int32(); // throttled
    return { error: errorName(from.int16()), assignment: from.nullableBytes() ?? nothing };
  },
};

export const heartbeatApi: Api<GroupMemberRequest, ErrorName> = {
  name: 'Heartbeat',
  key: 12,
  lowest: 3,
  highest: 3,
  encode: writeMember,
  decode(from) {
    from.int32(); // throttled
    return errorName(from.int16());
  },
};

/** One member, whose own error counts where there is none of the whole. */
export const leaveGroupApi: Api<LeaveGroupRequest, ErrorName> = {
  name: 'LeaveGroup',
  key: 13,
  lowest: 3,
  highest: 3,
  encode(into, { group, memberId, instanceId }) {
    into.string(group).int32(1).string(memberId).string(instanceId);
  },
  decode(from) {
    from.int32(); // throttled
    const error = errorName(from.int16());
    const [ofMember = error] = from.array(() => {
      from.string();
      from.nullableString();
      return errorName(from.int16());
    });
    return error === 'NONE' ? ofMember : error;
  },
};

function writeMember(into: ByteWriter, { group, generation, memberId, instanceId }: GroupMemberRequest): void {
  into.string(group).int32(generation).string(memberId).string(instanceId);
}
