/** A fault that the suite must notice: a small change of one file. */
export interface Plant {
  readonly name: string;
  readonly file: string;
  /** What stands there, exactly once. */
  readonly from: string;
  readonly to: string;
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
];
