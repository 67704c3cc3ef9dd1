import type { Logger } from '../../lib/index.ts';

/** A logger that says nothing. */
export const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
