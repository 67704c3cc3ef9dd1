import { expect, it } from 'vitest';
import { kafkaTaskSharing } from '../../../../connectors/kafka/index.ts';
import { kafkaTaskSharingSettings } from '../../../../connectors/kafka/scale/options.ts';

it('names every problem at once, those of the connection and of the group', () => {
  const wrong = { brokers: 'no-port', group: '', topics: [], sessionTimeout: '6s', rebalanceTimeout: '5s' } as const;
  const problems = [/^brokers\.0/, /^group/, /^topics/].map(problem => expect.stringMatching(problem));
  expect(() => kafkaTaskSharing(wrong)).toThrow(
    expect.objectContaining({ code: 'SETTINGS', problems: expect.arrayContaining(problems) }),
  );
});

it('takes a topic once, however often it is named', () => {
  const settings = kafkaTaskSharingSettings({ brokers: 'localhost:9092', group: 'g', topics: ['b', 'a', 'b'] });
  expect(settings.topics).toEqual(['a', 'b']);
});
