import type { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { LiveDisplay } from '../../cli/live-display.ts';

class FakeTerminal {
  readonly isTTY = true;
  readonly rows = 24;
  columns = 40;
  written: string[] = [];
  write(text: string | Uint8Array, ...rest: unknown[]): boolean {
    this.written.push(String(text));
    const done = rest.find(argument => typeof argument === 'function') as (() => void) | undefined;
    done?.();
    return true;
  }

  /** What a person reads of what was written since the last look, one item a write. */
  take(): string[] {
    return this.written
      .splice(0)
      .map(stripVTControlCharacters)
      .filter(text => text !== '');
  }
}

function setUp() {
  const terminal = new FakeTerminal();
  const stdout = new FakeTerminal();
  const display = new LiveDisplay(terminal as unknown as WriteStream, [stdout as unknown as WriteStream]);
  return { terminal, stdout, display };
}

const turned = () => new Promise(resolve => setImmediate(resolve));

describe('LiveDisplay', () => {
  it('writes a block once, and not again while it stays the same', () => {
    const { terminal, display } = setUp();
    display.show(['one', 'two']);
    display.show(['one', 'two']);
    expect(terminal.take()).toEqual(['one\ntwo\n']);
    display.show(['one', 'three']);
    expect(terminal.take()).toEqual(['three\n']);
  });

  it('lets whole lines of others through, and puts the block back below them', async () => {
    const { terminal, stdout, display } = setUp();
    display.show(['block']);
    terminal.take();
    stdout.write('from the job\n');
    terminal.write('a warning\n');
    display.show(['block 2']);
    expect(stdout.take()).toEqual(['from the job\n']);
    expect(terminal.take()).toEqual(['a warning\n']);
    await turned();
    expect(terminal.take()).toEqual(['block 2\n']);
  });

  it('keeps an unfinished line until it ends, also in bytes that split a character', async () => {
    const { stdout, display } = setUp();
    display.show(['block']);
    const bytes = Buffer.from('über\n');
    stdout.write(bytes.subarray(0, 1));
    expect(stdout.take()).toEqual([]);
    stdout.write(bytes.subarray(1));
    expect(stdout.take()).toEqual(['über\n']);
    stdout.write('rest');
    display.close();
    expect(stdout.take()).toEqual(['rest\n']);
  });

  it('tells writers that they are done', async () => {
    const { stdout } = setUp();
    await new Promise<void>(resolve => stdout.write('a', () => resolve()));
    await new Promise<void>(resolve => stdout.write('b\n', 'utf8', () => resolve()));
  });

  it('leaves the last block and gives the streams back', async () => {
    const { terminal, stdout, display } = setUp();
    display.show(['running']);
    display.show(['finished']);
    terminal.take();
    stdout.write('late\n');
    display.close();
    expect(terminal.take()).toEqual(['finished\n']);
    stdout.write('no line break');
    expect(stdout.take()).toEqual(['late\n', 'no line break']);
    await turned();
    expect(terminal.take()).toEqual([]);
  });

  it('gives everything back when the process ends by itself, and only then', () => {
    const before = process.listeners('exit');
    const { stdout, display } = setUp();
    display.show(['block']);
    stdout.write('unfinished');
    const added = process.listeners('exit').filter(listener => !before.includes(listener));
    for (const listener of added) listener.call(process, 1);
    expect(stdout.take()).toEqual(['unfinished\n']);
    expect(process.listeners('exit').length).toBeLessThanOrEqual(before.length + 1); // the cursor's own stays
    setUp().display.close();
    expect(process.listeners('exit').length).toBeLessThanOrEqual(before.length + 1);
  });

  it('keeps the order of the takeovers when both are the same stream', () => {
    const terminal = new FakeTerminal();
    const stream = terminal as unknown as WriteStream;
    const original = terminal.write;
    const display = new LiveDisplay(stream, [stream]);
    display.close();
    expect(terminal.write).toBe(original);
  });
});
