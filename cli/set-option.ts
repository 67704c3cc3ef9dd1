/** Adds one `--set key=value` to those before it; the value may itself hold `=`. Throws a plain error that says what is wrong. */
export function addSetting(given: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const at = given.indexOf('=');
  const key = at < 0 ? given : given.slice(0, at);
  if (at < 0 || key.trim() === '') throw new Error(`"${given}" is not of the form key=value.`);
  if (Object.hasOwn(before, key)) throw new Error(`"${key}" is set twice.`);
  return { ...before, [key]: given.slice(at + 1) };
}
