import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { type Look, padded, plainLook, styledLine } from '../../cli/styled-line.ts';

const marking = (width: number): Look => ({ width, paint: (style, text) => `<${String(style)}>${text}</>` });

describe('styledLine', () => {
  it('paints parts and leaves the rest', () => {
    expect(styledLine(['a ', ['red', 'b'], ' c'], marking(80))).toBe('a <red>b</> c');
  });

  it('cuts at the width and says so', () => {
    expect(styledLine(['abc', ['red', 'def'], 'ghi'], marking(9))).toBe('abc<red>def</>ghi');
    expect(styledLine(['abc', ['red', 'def'], 'ghi'], marking(8))).toBe('abc<red>def</>g…');
    expect(styledLine(['abc', ['red', 'def'], 'ghi'], marking(6))).toBe('abc<red>de…</>');
    expect(styledLine(['abc', ['red', 'def'], ''], marking(6))).toBe('abc<red>def</>');
    expect(styledLine(['abc'], marking(0))).toBe('');
  });

  it('counts the columns of wide characters and keeps clusters whole', () => {
    expect(styledLine(['漢字漢字'], marking(8))).toBe('漢字漢字');
    expect(styledLine(['漢字漢字'], marking(7))).toBe('漢字漢…');
    expect(styledLine(['漢字漢字'], marking(6))).toBe('漢字…');
    expect(styledLine(['👩‍👩‍👧 family'], marking(4))).toBe('👩‍👩‍👧 …');
  });

  it('never gets wider than asked, for every width', () => {
    for (let width = 0; width <= 20; width++) {
      expect(
        stringWidth(styledLine(['ab漢', ['red', '字cd'], 'e👍f', 'ghi'], { ...plainLook, width })),
      ).toBeLessThanOrEqual(width);
    }
  });

  it('takes out line breaks and control characters, which would break the block', () => {
    expect(styledLine(['a\n\tb\u001b[31mc'], plainLook)).toBe('a b [31mc');
  });

  it('pads by columns', () => {
    expect(padded('漢', 4)).toBe('漢  ');
    expect(padded('abcd', 2)).toBe('abcd');
  });
});
