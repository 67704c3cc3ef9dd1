export { memoryStore } from '../../lib/index.ts';
