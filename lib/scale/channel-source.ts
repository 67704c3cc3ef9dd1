import type { Json } from '../checkpoint/manifest.ts';
import { StateMismatchError } from '../errors.ts';
import { andThen } from '../maybe-promise.ts';
import { type Source, type SourceReader, wrapReader, wrapSource } from '../task/source.ts';
import type { Channel } from './channel.ts';
import type { ChannelTable } from './channel-table.ts';

/** The source of a channel, with the table of those who write into it as a part of its position. */
export function channelSource(channel: Channel, table: ChannelTable, restored: () => void): Source<Uint8Array> {
  const { source } = channel;
  return wrapSource(source, {
    open(position, context) {
      // None in a new incarnation of the channel.
      const stored = (position ?? undefined) as { readonly at: Json; readonly upstream: Json } | undefined;
      if (stored !== undefined && stored.upstream === undefined) {
        throw new StateMismatchError(
          `The position of ${source.name} is not that of a channel: it was stored by something else.`,
        );
      }
      if (stored) table.restore(stored.upstream);
      return andThen(channel.prepare(), () =>
        andThen(source.open(stored?.at, context), reader => withTable(reader, table, restored)),
      );
    },
  });
}

function withTable(reader: SourceReader, table: ChannelTable, restored: () => void): SourceReader {
  return wrapReader(reader, {
    start() {
      restored();
      reader.start();
    },
    position: () => ({ at: reader.position(), upstream: table.toJson() }),
    committed: (id, position) => reader.committed?.(id, (position as { readonly at: Json }).at),
  });
}
