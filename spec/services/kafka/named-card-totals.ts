// samples/card-totals under a name that a spec gives it: a Kafka keeps the group and the commit record of a job for ever.
import cardTotals from '../../../samples/card-totals/job.ts';

export default { ...cardTotals, name: process.env.JOB ?? cardTotals.name };
