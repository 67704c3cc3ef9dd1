import { expect, it } from 'vitest';
import { turn } from '../../../../connectors/kafka/source/turn.ts';

it('lets one reader go on between two looks at sockets and timers, and each in its turn', async () => {
  const said: string[] = [];
  let isOver = false;
  const looks = () => {
    if (isOver) return;
    said.push('|');
    setImmediate(looks);
  };
  const reader = async (name: string) => {
    for (let i = 0; i < 3; i++) {
      await turn();
      said.push(name);
    }
  };
  setImmediate(looks);
  await Promise.all(['a', 'b', 'c'].map(reader));
  isOver = true;
  expect(said.filter(one => one !== '|').join('')).toBe('abcabcabc');
  expect(said.join('')).not.toMatch(/[abc][abc]/);
});
