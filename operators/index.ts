export { type ConnectBehaviour, connect } from './connect.ts';
export { distinct } from './distinct.ts';
export { keyBy } from './key-by.ts';
export { reduce } from './reduce.ts';
export { type ScanOptions, scan } from './scan.ts';
export { side } from './side.ts';
export { to } from './to.ts';
export { union } from './union.ts';
