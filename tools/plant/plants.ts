/** A fault that the suite must notice: a small change of one file. */
export interface Plant {
  readonly name: string;
  readonly file: string;
  /** What stands there, exactly once. */
  readonly from: string;
  readonly to: string;
  /** Only a spec on real services can notice it: planted when such specs are given. */
  readonly needsServices?: true;
}

/** Faults in what must always hold: each has lost or doubled records in some stream processor. */
export const plants: readonly Plant[] = [
  {
    name: 'the changed keys of an abandoned checkpoint are dropped',
    file: 'lib/actor/keyed-state.ts',
    from: '    this.#changed = capture.close();\n    this.#deadCells += capture.deadCells;\n',
    to: '    capture.close();\n    this.#changed = [];\n',
  },
  {
    name: 'a barrier passes between two outputs of one record',
    file: 'lib/task/task.ts',
    from: 'between: work => this.gate.afterwards(() => this.gate.between(work)),',
    to: 'between: work => work(),',
  },
  {
    name: 'an error in one branch is told when another has gone on to the barrier',
    file: 'lib/task/gate.ts',
    from: '    this.hasFailed = true;\n    this.waiting = [];\n    const outer = leaveGroups();\n    this.whenFailed(error, context);\n    returnToGroup(outer);\n',
    to: '    this.scheduler.schedule(() => {\n      this.hasFailed = true;\n      this.whenFailed(error, context);\n    }, 1);\n',
  },
  {
    name: 'the transaction is ended before its manifest is prepared',
    file: 'lib/checkpoint/coordinator.ts',
    from: '    return andThen(this.services.store.prepare(this.token, manifest), () => {\n',
    to: [
      "    const isSwapped = this.services.commitPoint.kind !== 'store';",
      '    const prepare = () => this.services.store.prepare(this.token, manifest);',
      '    if (isSwapped) void Promise.resolve().then(prepare).catch(() => {});',
      '    return andThen(isSwapped ? undefined : prepare(), () => {\n',
    ].join('\n'),
  },
  {
    name: 'the store takes what an incarnation writes that was taken over',
    file: 'lib/checkpoint/store-rules.ts',
    from: 'if (token !== newest) throw staleToken',
    to: 'if (token > newest) throw staleToken',
  },
  {
    name: 'the token in the commit record is ignored',
    file: 'lib/checkpoint/recovery.ts',
    from: '    if (above >= token) {\n',
    to: '    if (above < 0) {\n',
  },
  {
    name: 'a transactional id is taken over without a look at the fence',
    file: 'lib/checkpoint/recovery.ts',
    from: '  await verifyFence(store, ref, token);\n  await point.fence();\n',
    to: '  await point.fence();\n',
  },
  {
    name: 'the offsets of the sources are left out of the transaction',
    file: 'connectors/kafka/commit/kafka-commit-point.ts',
    from: 'groups.push([group, [...offsets]]);',
    to: 'void [group, offsets];',
  },
  {
    name: 'the commit record is left out of the transaction',
    file: 'connectors/kafka/commit/kafka-commit-point.ts',
    from: '    groups.push([this.#group, [{ ...commitPartition, ...encodeRecord(record) }]]);\n',
    to: '    encodeRecord(record);\n',
  },
  {
    name: 'output behind the barrier is not held back',
    file: 'connectors/kafka/sink/writer.ts',
    from: "new LineQueue(settings.guarantee === 'exactly-once')",
    to: 'new LineQueue(false)',
  },
  {
    name: 'dead letters behind the barrier are not held back',
    file: 'connectors/kafka/commit/transaction.ts',
    from: '    if (this.#held) {\n      this.#held.push(write);\n      this.#heldBytes += bytes;\n    } else write();\n',
    to: '    write();\n',
  },
  {
    name: 'Redis takes what an incarnation writes that was taken over',
    file: 'connectors/redis/scripts/prelude.ts',
    from: "if newestToken ~= token then return {'stale', newestToken} end",
    to: "if tonumber(newestToken) < tonumber(token) then return {'stale', newestToken} end",
    needsServices: true,
  },
];
