import type { Stream, TypeOracle } from './streams.ts';

/** What is used of a TypeScript type; typescript-eslint's parser answers them where it has a program. */
interface Type {
  readonly symbol?: { readonly name: string };
  readonly intrinsicName?: string;
  readonly types?: readonly Type[];
  getProperty(name: string): object | undefined;
  getBaseTypes?(): readonly Type[] | undefined;
}

interface TypedServices {
  readonly program: { getTypeChecker(): { getTypeArguments(type: Type): readonly Type[] } } | null;
  getTypeAtLocation(node: object): Type;
}

/** Recognises streams by their type, where the parser has type information. */
export function typeOracle(services: unknown): TypeOracle | undefined {
  if (!isTyped(services)) return undefined;
  const checker = services.program?.getTypeChecker();
  if (checker === undefined) return undefined;
  const streamOf = (type: Type): Stream | undefined => {
    // Another library's class of this name has no elements$.
    if (type.symbol?.name === 'DataStream' && type.getProperty('elements$')) {
      const [, key] = checker.getTypeArguments(type);
      return { isKeyed: key !== undefined && key.intrinsicName !== 'undefined' };
    }
    for (const part of type.types ?? type.getBaseTypes?.() ?? []) {
      const found = streamOf(part);
      if (found) return found;
    }
    return undefined;
  };
  return node => streamOf(services.getTypeAtLocation(node));
}

function isTyped(services: unknown): services is TypedServices {
  return typeof services === 'object' && services !== null && 'getTypeAtLocation' in services && 'program' in services;
}
