import type { ErrorName } from '../port.ts';
import { isRetriable } from '../wire/error-codes.ts';

/**
 * What an answer's error means for a member. 'rejoin': the group assigns anew. 'forgotten': the group does not know the member
 * id any more. 'outdated': it does, and has gone on without this member. 'fenced': another process has its instance id.
 * 'elsewhere': the coordinator has moved. 'again': it may pass. 'final': no repeat mends it.
 */
export type MemberVerdict =
  | 'fine'
  | 'rejoin'
  | 'name yourself'
  | 'forgotten'
  | 'outdated'
  | 'fenced'
  | 'elsewhere'
  | 'again'
  | 'final';

const verdicts: Readonly<Record<ErrorName, MemberVerdict>> = {
  NONE: 'fine',
  REBALANCE_IN_PROGRESS: 'rejoin',
  MEMBER_ID_REQUIRED: 'name yourself',
  UNKNOWN_MEMBER_ID: 'forgotten',
  ILLEGAL_GENERATION: 'outdated',
  FENCED_INSTANCE_ID: 'fenced',
  NOT_COORDINATOR: 'elsewhere',
  COORDINATOR_NOT_AVAILABLE: 'elsewhere',
  // It stays with this broker.
  COORDINATOR_LOAD_IN_PROGRESS: 'again',
  // Brokers answer with it what they did not foresee, such as a write to the offsets topic that failed.
  UNKNOWN_SERVER_ERROR: 'again',
};

export function memberVerdict(error: ErrorName): MemberVerdict {
  return verdicts[error] ?? (isRetriable(error) ? 'again' : 'final');
}
