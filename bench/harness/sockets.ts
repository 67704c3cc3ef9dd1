/** Open sockets of this process to the port of an address. */
export function connectionsTo(address: string): number {
  const port = Number(/:(\d+)(\/.*)?$/.exec(address)?.[1]);
  // biome-ignore lint/suspicious/noExplicitAny: nothing public says what a socket is connected to.
  const handles = (process as any)._getActiveHandles() as readonly { readonly remotePort?: number }[];
  return handles.filter(({ remotePort }) => remotePort === port).length;
}
