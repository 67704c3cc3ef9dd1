import type { styleText } from 'node:util';
import stringWidth from 'string-width';

export type Style = Parameters<typeof styleText>[0];
/** A text, or one with its style. */
export type Part = string | readonly [Style, string];

/** How lines are shown: so many columns, and with which colours (none when `paint` gives back the text). */
export interface Look {
  readonly width: number;
  readonly paint: (style: Style, text: string) => string;
}

export const plainLook: Look = { width: Number.POSITIVE_INFINITY, paint: (_, text) => text };

/** One line of at most `width` columns; what does not fit ends in '…'. Line breaks and control characters become spaces. */
export function styledLine(parts: readonly Part[], { width, paint }: Look): string {
  let line = '';
  let left = width;
  for (const [i, part] of parts.entries()) {
    const style = typeof part === 'string' ? undefined : part[0];
    const text = oneLine(typeof part === 'string' ? part : part[1]);
    const isLast = parts.slice(i + 1).every(rest => (typeof rest === 'string' ? rest : rest[1]) === '');
    const fitting = truncated(text, left, isLast);
    line += style === undefined || fitting === '' ? fitting : paint(style, fitting);
    left -= stringWidth(fitting);
    if (fitting !== text) break;
  }
  return line;
}

/** The text padded with spaces to this many columns. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - stringWidth(text)));
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The text, or the beginning of it with '…'; one column is left for '…' where something follows. */
function truncated(text: string, width: number, isLast: boolean): string {
  const whole = stringWidth(text);
  if (whole < width || (whole === width && isLast)) return text;
  let kept = '';
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) {
    columns += stringWidth(segment);
    if (columns > width - 1) break;
    kept += segment;
  }
  return width < 1 ? '' : `${kept}…`;
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
