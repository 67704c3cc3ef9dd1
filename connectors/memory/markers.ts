/** In a `memorySource`: takes a checkpoint here. */
export const takeCheckpoint: unique symbol = Symbol('take a checkpoint');

/** In a `memorySource`: fails the task here, once; the restart strategy brings it back from its last checkpoint. */
export const crash: unique symbol = Symbol('crash');
