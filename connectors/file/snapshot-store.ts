export { fileStore } from '../../lib/index.ts';
