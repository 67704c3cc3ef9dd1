import { configureGlobal, readConfigureGlobal } from 'fast-check';

// Property specs draw the same cases at every run, so that a run judges the change and not the luck of its draw. New cases are
// drawn by `npm run hunt`; what that finds becomes a case of its own. A failure prints its seed: TIDEMARK_SEED=<seed> repeats it.

const chosen = process.env.TIDEMARK_SEED ?? '20260101';
const seed = chosen === 'new' ? Math.trunc(Math.random() * 2 ** 31) : Number(chosen);
if (!Number.isSafeInteger(seed)) throw new Error(`TIDEMARK_SEED=${chosen} is no seed: give a whole number, or "new".`);
configureGlobal({ ...readConfigureGlobal(), seed });
