/** What is held back of each input while barriers align, in the order of arrival. */
export class HeldElements<T> {
  readonly #queues: T[][];
  #size = 0;

  constructor(inputs: number) {
    this.#queues = Array.from({ length: inputs }, () => []);
  }

  /** How many are held in all. */
  get size(): number {
    return this.#size;
  }

  hold(input: number, element: T): void {
    this.#queues[input]?.push(element);
    this.#size++;
  }

  /** Takes out all that is held of the input, oldest first. */
  take(input: number): readonly T[] {
    const taken = this.#queues[input] ?? [];
    this.#queues[input] = [];
    this.#size -= taken.length;
    return taken;
  }
}
