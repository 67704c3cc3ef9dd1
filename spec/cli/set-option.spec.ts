import { describe, expect, it } from 'vitest';
import { addSetting } from '../../cli/set-option.ts';

describe('--set', () => {
  it('splits at the first =', () => {
    expect(addSetting('path=a=b', {})).toEqual({ path: 'a=b' });
    expect(addSetting('empty=', { path: 'x' })).toEqual({ path: 'x', empty: '' });
  });

  it.each(['path', '=x', ' =x'])('refuses "%s"', given => {
    expect(() => addSetting(given, {})).toThrow(
      `"${given.split('=')[0] === 'path' ? 'path' : given}" is not of the form key=value`,
    );
  });

  it('refuses a parameter that is set twice, also one named like a method', () => {
    expect(() => addSetting('a=2', { a: '1' })).toThrow('"a" is set twice.');
    expect(addSetting('toString=2', {})).toEqual({ toString: '2' });
  });
});
