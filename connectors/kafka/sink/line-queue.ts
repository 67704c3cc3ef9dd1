/**
 * Records that wait in order, and a line among them: what lies before it belongs to the checkpoint under way. Pure.
 * When it `holdsBack`, nothing behind the line is taken before the line is removed.
 */
export class LineQueue<T> {
  readonly #holdsBack: boolean;
  #items: T[] = [];
  #head = 0;
  /** How many items lie before the line. */
  #before: number | undefined;

  constructor(holdsBack: boolean) {
    this.#holdsBack = holdsBack;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Whether something new must wait: others do, or it lies behind a line that holds back. */
  get mustWait(): boolean {
    return this.size > 0 || (this.#holdsBack && this.#before !== undefined);
  }

  /** Whether nothing before the line waits any more. */
  get isDrained(): boolean {
    return this.#before === undefined ? this.size === 0 : this.#before === 0;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Draws the line behind what has come so far. */
  draw(): void {
    this.#before = this.size;
  }

  /** The checkpoint is over: what was behind the line may go. */
  remove(): void {
    this.#before = undefined;
  }

  /** The oldest item, when it may be taken. */
  peek(): T | undefined {
    return this.#holdsBack && this.#before === 0 ? undefined : this.#items[this.#head];
  }

  /** Takes what `peek` has shown. */
  shift(): void {
    this.#head++;
    if (this.#before !== undefined && this.#before > 0) this.#before--;
    if (this.#head < 1_000 && this.#head < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#before = undefined;
  }
}
