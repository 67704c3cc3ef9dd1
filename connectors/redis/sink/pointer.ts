/**
 * Names a checkpoint as Redis keeps it: `<token>:<id>`. Later ones have a higher token, or the same and a higher id; empty
 * stands for none, before all others.
 */
export type Pointer = string;

export const pointerOf = ({ token, id }: { readonly token: number; readonly id: number }): Pointer => `${token}:${id}`;
