import { Draws } from '../../draws.ts';
import { word } from './texts.ts';

/** Where a bid came in. */
export interface Channel {
  readonly channel: string;
  readonly url: string;
}

const hotNames = ['Google', 'Facebook', 'Baidu', 'Apple'];
const others = 10_000;

const draws = new Draws(2);
const hot = hotNames.map((channel, n): Channel => ({ channel, url: urlOf(n) }));
/** Made when they are met first: the number of a channel fixes what it is. */
const known: Channel[] = [];

/** One of four channels for every other bid, one of 10,000 for the rest. */
export function nextChannel(bid: Draws): Channel {
  if (bid.below(2) > 0) return hot[bid.below(hot.length)] as Channel;
  const n = bid.below(others);
  known[n] ??= { channel: `channel-${n}`, url: `${urlOf(hot.length + n)}&channel_id=${n}` };
  return known[n];
}

function urlOf(n: number): string {
  draws.begin(n);
  return `https://www.nexmark.com/${word(draws, 5)}/${word(draws, 5)}/${word(draws, 5)}/item.htm?query=1`;
}
