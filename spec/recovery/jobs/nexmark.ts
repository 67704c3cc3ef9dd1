// A query of Nexmark as a job whose name a spec gives it: a Kafka keeps the commit record of a job for ever.
import { job } from 'tidemark';
import { type Parameters, parameters } from '../../../samples/nexmark/parameters.ts';
import { pipeline } from '../../../samples/nexmark/pipeline.ts';

export default job(process.env.NEXMARK_NAME ?? 'nexmark', (given: Parameters) => pipeline(given), {
  schema: parameters,
  checkpoint: { interval: '300ms' },
});
