/**
 * Any name in characters that mean nothing to file systems, URLs and Redis: `a-z`, digits, `-` and `_` stay, every other
 * UTF-16 unit becomes `%xx` or `%uxxxx`. Distinct names stay distinct, also where case is ignored; the empty one is `%`.
 */
export function encodeName(name: string): string {
  let encoded = '';
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    const hex = unit.toString(16);
    if (/[a-z0-9_-]/.test(name.charAt(i))) encoded += name.charAt(i);
    else encoded += unit < 0x100 ? `%${hex.padStart(2, '0')}` : `%u${hex.padStart(4, '0')}`;
  }
  return encoded || '%';
}
