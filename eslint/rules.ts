import type { Rule } from 'eslint';
import type { Finding } from './findings.ts';
import { likeOf } from './native-operators.ts';
import { nativeRule } from './rule.ts';

/** Of those that emit at completion: they hold nothing until then. */
const holdNothing = new Set(['endWith', 'concatWith', 'defaultIfEmpty', 'materialize', 'onErrorResumeNextWith']);

export const rules: Readonly<Record<string, Rule.RuleModule>> = {
  'no-native-state': nativeRule({
    description: 'Disallow native operators with state on a stream: it is in no checkpoint',
    say: finding => (isStateful(finding) && !finding.isKeyed ? forgets(finding) : undefined),
  }),
  'no-shared-state-after-key': nativeRule({
    description: 'Disallow native operators with state behind keyBy: all keys share it, and it is in no checkpoint',
    say: finding =>
      isStateful(finding) && finding.isKeyed
        ? `RxJS's \`${finding.operator}\` behind a key has one state for all keys, and forgets it in a crash: it is in no checkpoint.`
        : undefined,
  }),
  'no-async-native': nativeRule({
    description: 'Disallow native operators that emit later than in the handling of a record',
    say: ({ operator, nativeClass }) =>
      nativeClass === 'asynchronous'
        ? `RxJS's \`${operator}\` emits later here: on the wrong side of a barrier, and a crash loses what it holds. The job fails with a LiftError.`
        : undefined,
  }),
  'no-native-combination': nativeRule({
    description: 'Disallow native operators and functions that combine streams',
    say: ({ operator, nativeClass }) =>
      nativeClass === 'combines streams'
        ? `RxJS's \`${operator}\` combines streams where no barrier can cross, so no checkpoint would be right. The job is refused.`
        : undefined,
  }),
  'no-emit-at-subscription': nativeRule({
    description: 'Disallow native operators that emit as they are subscribed',
    say: ({ operator, nativeClass }) =>
      nativeClass === 'emits at subscription'
        ? `RxJS's \`${operator}\` emits as it is subscribed, which would be again at every restart. The job is refused with a LiftError.`
        : undefined,
  }),
  'no-resubscription': nativeRule({
    description: 'Disallow native operators that subscribe the stream once more',
    say: ({ operator, nativeClass }) =>
      nativeClass === 'subscribes again'
        ? `RxJS's \`${operator}\` subscribes its source once more, and records in between would be lost. The job fails with a LiftError.`
        : undefined,
  }),
};

function isStateful({ operator, nativeClass }: Finding): boolean {
  if (nativeClass === 'emits at completion') return !holdNothing.has(likeOf(operator));
  return nativeClass === 'stateful' || nativeClass === 'ends early';
}

function forgets({ operator, nativeClass, replacement }: Finding): string {
  if (replacement.advice.startsWith('leave it out')) {
    return `RxJS's \`${operator}\` is needless on a stream, and what it holds is in no checkpoint.`;
  }
  if (nativeClass === 'ends early') {
    return `RxJS's \`${operator}\` is in no checkpoint: after a crash it forgets how far it was, and begins anew.`;
  }
  if (nativeClass === 'emits at completion') {
    return `RxJS's \`${operator}\` is in no checkpoint: after a crash it forgets what came before, and emits a result without it.`;
  }
  return `RxJS's \`${operator}\` is in no checkpoint: after a crash it forgets its state, and begins anew.`;
}
